#include "dialect/aws/event_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <type_traits>

#include "base/assert.h"
#include "dialect/aws/crc32.h"
#include "dialect/failure.h"

namespace weir::dialect::aws {
namespace {

constexpr std::size_t kLengthsBytes = 8;
constexpr std::size_t kPreludeBytes = 12;  // with its checksum
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kFrameBytesMin = kPreludeBytes + kChecksumBytes;
constexpr std::size_t kUuidBytes = 16;
constexpr std::size_t kNameBytesMax = 0xff;
constexpr std::size_t kTextBytesMax = 0xffff;

// The bytes must be there.
template <class Integer>
Integer big_endian(std::string_view bytes) {
    std::make_unsigned_t<Integer> value = 0;
    for (std::size_t i = 0; i < sizeof(Integer); ++i) {
        value = static_cast<decltype(value)>(value << 8 | static_cast<unsigned char>(bytes[i]));
    }
    return static_cast<Integer>(value);
}

template <class Integer>
void append_big_endian(std::string& into, Integer value) {
    for (std::size_t i = sizeof(Integer); i-- > 0;) {
        into += static_cast<char>(value >> (8 * i));
    }
}

// Takes from the front; every method says false where too little is left.
class Cursor {
public:
    explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
    bool is_empty() const { return bytes_.empty(); }
    bool take(std::size_t size, std::string_view& into) {
        if (bytes_.size() < size) {
            return false;
        }
        into = bytes_.substr(0, size);
        bytes_.remove_prefix(size);
        return true;
    }
    template <class Integer>
    bool take_integer(std::int64_t& into) {
        std::string_view bytes;
        if (!take(sizeof(Integer), bytes)) {
            return false;
        }
        into = static_cast<std::int64_t>(big_endian<Integer>(bytes));
        return true;
    }
    bool take_counted(std::string_view& into) {
        std::int64_t size = 0;
        return take_integer<std::uint16_t>(size) && take(static_cast<std::size_t>(size), into);
    }

private:
    std::string_view bytes_;
};

bool take_value(Cursor& from, Header& into) {
    switch (into.kind) {
        case HeaderKind::true_:
            into.number = 1;
            return true;
        case HeaderKind::false_:
            return true;
        case HeaderKind::int8:
            return from.take_integer<std::int8_t>(into.number);
        case HeaderKind::int16:
            return from.take_integer<std::int16_t>(into.number);
        case HeaderKind::int32:
            return from.take_integer<std::int32_t>(into.number);
        case HeaderKind::int64:
        case HeaderKind::timestamp:
            return from.take_integer<std::int64_t>(into.number);
        case HeaderKind::bytes:
        case HeaderKind::string:
            return from.take_counted(into.text);
        case HeaderKind::uuid:
            return from.take(kUuidBytes, into.text);
    }
    return false;  // a kind that is not known has no known length either
}

bool take_header(Cursor& from, Header& into) {
    std::int64_t size = 0;
    std::int64_t kind = 0;
    if (!from.take_integer<std::uint8_t>(size) || size == 0 ||
        !from.take(static_cast<std::size_t>(size), into.name) ||
        !from.take_integer<std::uint8_t>(kind)) {
        return false;
    }
    into.kind = static_cast<HeaderKind>(kind);
    return take_value(from, into);
}

void append_value(std::string& into, const Header& header) {
    switch (header.kind) {
        case HeaderKind::true_:
        case HeaderKind::false_:
            return;
        case HeaderKind::int8:
            return append_big_endian(into, static_cast<std::int8_t>(header.number));
        case HeaderKind::int16:
            return append_big_endian(into, static_cast<std::int16_t>(header.number));
        case HeaderKind::int32:
            return append_big_endian(into, static_cast<std::int32_t>(header.number));
        case HeaderKind::int64:
        case HeaderKind::timestamp:
            return append_big_endian(into, header.number);
        case HeaderKind::bytes:
        case HeaderKind::string:
            WEIR_ASSERT(header.text.size() <= kTextBytesMax);
            append_big_endian(into, static_cast<std::uint16_t>(header.text.size()));
            into += header.text;
            return;
        case HeaderKind::uuid:
            WEIR_ASSERT(header.text.size() == kUuidBytes);
            into += header.text;
            return;
    }
    std::unreachable();
}

void append_message(std::string& into,
                    std::string_view type,
                    std::string_view named,
                    std::string_view name,
                    std::string_view json) {
    const std::array<Header, 3> headers{{{.name = named, .text = name},
                                         {.name = ":content-type", .text = "application/json"},
                                         {.name = ":message-type", .text = type}}};
    append_frame(into, headers, json);
}

}  // namespace

std::string_view Frame::text(std::string_view name) const {
    for (const Header& header : headers) {
        if (header.name == name && header.kind == HeaderKind::string) {
            return header.text;
        }
    }
    return {};
}

void FrameDecoder::feed(std::string_view bytes) { bytes_ = bytes; }

Result<bool> FrameDecoder::next(Frame& frame) {
    if (partial_given_) {
        partial_.clear();
        partial_given_ = false;
    }
    if (partial_.empty()) {
        if (bytes_.size() >= kPreludeBytes) {
            WEIR_TRY(const std::size_t size, frame_size(bytes_));
            if (bytes_.size() >= size) {
                WEIR_TRY(decode(bytes_.substr(0, size), frame));
                bytes_.remove_prefix(size);
                return true;
            }
        }
        partial_.assign(bytes_);
        bytes_ = {};
        return false;
    }
    // First as much as tells the size, then as much as that says.
    const auto fill_to = [this](std::size_t size) {
        const std::size_t missing = size - std::min(size, partial_.size());
        const std::size_t taken = std::min(missing, bytes_.size());
        partial_ += bytes_.substr(0, taken);
        bytes_.remove_prefix(taken);
        return partial_.size() >= size;
    };
    if (!fill_to(kPreludeBytes)) {
        return false;
    }
    WEIR_TRY(const std::size_t size, frame_size(partial_));
    if (!fill_to(size)) {
        return false;
    }
    partial_given_ = true;
    WEIR_TRY(decode(partial_, frame));
    return true;
}

// The lengths are believed only once their checksum is right: anything else than an event stream
// (a proxy's page) ends here, before a byte of it is kept.
Result<std::size_t> FrameDecoder::frame_size(std::string_view prelude) const {
    if (crc32(prelude.substr(0, kLengthsBytes)) !=
        big_endian<std::uint32_t>(prelude.substr(kLengthsBytes))) {
        return unusable_answer("no AWS event stream: the checksum of a frame's lengths is wrong");
    }
    const std::size_t total = big_endian<std::uint32_t>(prelude);
    const std::size_t headers = big_endian<std::uint32_t>(prelude.substr(4));
    if (total < kFrameBytesMin || headers > total - kFrameBytesMin) {
        return unusable_answer(
            fmt::format("a frame of {} bytes cannot hold {} of headers", total, headers));
    }
    if (total > kFrameBytesMax || headers > kHeadersBytesMax) {
        return unusable_answer(
            fmt::format("a frame of {} bytes with {} of headers is too large", total, headers));
    }
    return total;
}

Result<void> FrameDecoder::decode(std::string_view bytes, Frame& frame) {
    const std::size_t summed = bytes.size() - kChecksumBytes;
    if (crc32(bytes.substr(0, summed)) != big_endian<std::uint32_t>(bytes.substr(summed))) {
        return unusable_answer("the checksum of a frame is wrong");
    }
    const std::size_t headers_size = big_endian<std::uint32_t>(bytes.substr(4));
    headers_.clear();
    Cursor cursor(bytes.substr(kPreludeBytes, headers_size));
    while (!cursor.is_empty()) {
        if (headers_.size() == kHeadersMax) {
            return unusable_answer("a frame has more headers than there can be");
        }
        if (!take_header(cursor, headers_.emplace_back())) {
            return unusable_answer("a frame's header is broken");
        }
    }
    const std::size_t payload_at = kPreludeBytes + headers_size;
    frame.headers = headers_;
    frame.payload = bytes.substr(payload_at, summed - payload_at);
    return {};
}

void append_frame(std::string& into, std::span<const Header> headers, std::string_view payload) {
    const std::size_t begin = into.size();
    into.append(kPreludeBytes, '\0');  // known only at the end
    for (const Header& header : headers) {
        WEIR_ASSERT(!header.name.empty());
        WEIR_ASSERT(header.name.size() <= kNameBytesMax);
        into += static_cast<char>(header.name.size());
        into += header.name;
        into += static_cast<char>(header.kind);
        append_value(into, header);
    }
    const std::size_t headers_size = into.size() - begin - kPreludeBytes;
    into += payload;
    const std::size_t total = into.size() - begin + kChecksumBytes;
    WEIR_ASSERT(total <= kFrameBytesMax);
    WEIR_ASSERT(headers_size <= kHeadersBytesMax);

    std::string prelude;
    append_big_endian(prelude, static_cast<std::uint32_t>(total));
    append_big_endian(prelude, static_cast<std::uint32_t>(headers_size));
    append_big_endian(prelude, crc32(prelude));
    into.replace(begin, kPreludeBytes, prelude);
    append_big_endian(into, crc32(std::string_view(into).substr(begin)));
}

void append_event(std::string& into, std::string_view event_type, std::string_view json) {
    append_message(into, "event", ":event-type", event_type, json);
}

void append_exception(std::string& into, std::string_view exception_type, std::string_view json) {
    append_message(into, "exception", ":exception-type", exception_type, json);
}

}  // namespace weir::dialect::aws
