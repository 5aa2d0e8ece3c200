#include "obs/trace.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace weir::obs {
namespace {

bool read_hex(std::string_view text, std::span<std::uint8_t> into) {
    const bool lower =
        std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'F'; });
    const auto bytes = from_hex(text);
    if (!lower || !bytes || bytes->size() != into.size()) {
        return false;
    }
    std::copy(bytes->begin(), bytes->end(), into.begin());
    return true;
}

char* write_hex(std::span<const std::uint8_t> bytes, char* into) {
    static constexpr char kHex[] = "0123456789abcdef";
    for (const std::uint8_t byte : bytes) {
        *into++ = kHex[byte >> 4];
        *into++ = kHex[byte & 15];
    }
    return into;
}

bool is_zero(std::span<const std::uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

std::array<char, 32> TraceContext::trace_id_text() const {
    std::array<char, 32> text;
    write_hex(trace_id, text.data());
    return text;
}

std::optional<TraceContext> parse_traceparent(std::string_view text) {
    // 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
    if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') {
        return std::nullopt;
    }
    TraceContext context;
    std::uint8_t version = 0;
    const bool read = read_hex(text.substr(0, 2), {&version, 1}) &&
                      read_hex(text.substr(3, 32), context.trace_id) &&
                      read_hex(text.substr(36, 16), context.span_id) &&
                      read_hex(text.substr(53, 2), {&context.flags, 1});
    const bool sized = version == 0 ? text.size() == 55 : text.size() == 55 || text[55] == '-';
    if (!read || version == 0xff || !sized || is_zero(context.trace_id) ||
        is_zero(context.span_id)) {
        return std::nullopt;
    }
    return context;
}

std::array<char, kTraceparentSize> traceparent(const TraceContext& context) {
    std::array<char, kTraceparentSize> text;
    char* at = text.data();
    *at++ = '0';
    *at++ = '0';
    *at++ = '-';
    at = write_hex(context.trace_id, at);
    *at++ = '-';
    at = write_hex(context.span_id, at);
    *at++ = '-';
    write_hex({&context.flags, 1}, at);
    return text;
}

TraceContext new_trace(const std::array<std::uint8_t, 16>& id) {
    TraceContext context;
    context.trace_id = id;
    return child_of(context, id);
}

TraceContext child_of(const TraceContext& parent, const std::array<std::uint8_t, 16>& id) {
    TraceContext context = parent;
    std::copy(id.begin() + 8, id.end(), context.span_id.begin());  // the random half of a UUIDv7
    return context;
}

}  // namespace weir::obs
