#include "net/inflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <string>

#include "base/assert.h"
#include "base/text.h"

namespace weir::net {
namespace {

constexpr std::size_t kPlainBufferBytes = 32u << 10;
// Of zlib: the window is 2^15 bytes; 16 more stand for gzip's framing, a minus for none.
constexpr int kZlib = 15;
constexpr int kGzip = 15 + 16;
constexpr int kBare = -15;
// What a name in a message may be long.
constexpr std::size_t kShownBytesMax = 40;

Failure broken(std::string detail) {
    return fail(Code::upstream_invalid_response,
                "The model provider gave an answer that cannot be used; try again.")
        .detail(std::move(detail));
}

}  // namespace

Result<std::optional<Coding>> read_coding(std::string_view content_encoding) {
    if (content_encoding.empty() || equals_ignoring_case(content_encoding, "identity")) {
        return std::nullopt;
    }
    if (equals_ignoring_case(content_encoding, "gzip") ||
        equals_ignoring_case(content_encoding, "x-gzip")) {
        return Coding::gzip;
    }
    if (equals_ignoring_case(content_encoding, "deflate")) {
        return Coding::deflate;
    }
    return broken(fmt::format("content-encoding '{}' is not understood, and was not asked for",
                              content_encoding.substr(0, kShownBytesMax)));
}

struct Inflater::State {
    Coding coding;
    std::uint64_t plain_left;
    z_stream zlib{};
    bool is_open = false;
    bool is_at_end = false;  // of a member, or of all
    std::string compressed;  // from `used` on still to be read
    std::size_t used = 0;
    std::array<char, kPlainBufferBytes> plain;

    std::string_view rest() const { return std::string_view(compressed).substr(used); }

    // Which framing there is shows in the first two bytes. false: they are not there yet.
    bool open() {
        int window = kGzip;
        if (coding == Coding::deflate) {
            if (rest().size() < 2) {
                return false;
            }
            const auto first = static_cast<unsigned char>(rest()[0]);
            const auto second = static_cast<unsigned char>(rest()[1]);
            const bool has_frame = (first & 0x0f) == 8 && (first * 256 + second) % 31 == 0;
            window = has_frame ? kZlib : kBare;
        }
        const int opened = inflateInit2(&zlib, window);
        WEIR_ASSERT(opened == Z_OK);  // all else is a lack of memory, or a wrong version
        is_open = true;
        return true;
    }

    // Of gzip several members may follow one another (RFC 1952, 2.2); behind the last nothing may.
    Result<void> begin_next_member() {
        if (coding != Coding::gzip) {
            return broken("bytes behind the end of a compressed answer");
        }
        is_at_end = false;
        return inflateReset(&zlib) == Z_OK ? Result<void>{} : broken("zlib cannot begin again");
    }
};

Inflater::Inflater(Coding coding, std::uint64_t plain_bytes_max)
    : state_(std::make_unique<State>(
          State{.coding = coding, .plain_left = plain_bytes_max, .compressed{}, .plain{}})) {}

Inflater::~Inflater() {
    if (state_->is_open) {
        inflateEnd(&state_->zlib);
    }
}

void Inflater::feed(std::string_view compressed) {
    State& s = *state_;
    s.compressed.erase(0, s.used);
    s.used = 0;
    s.compressed += compressed;
}

Result<std::string_view> Inflater::next() {
    State& s = *state_;
    while (!s.rest().empty()) {
        if (!s.is_open && !s.open()) {
            break;
        }
        if (s.is_at_end) {
            WEIR_TRY(s.begin_next_member());
        }
        const std::string_view rest = s.rest();
        s.zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));  // not written
        s.zlib.avail_in = static_cast<uInt>(rest.size());
        s.zlib.next_out = reinterpret_cast<Bytef*>(s.plain.data());
        s.zlib.avail_out = static_cast<uInt>(s.plain.size());
        const int status = inflate(&s.zlib, Z_NO_FLUSH);
        s.used += rest.size() - s.zlib.avail_in;
        if (status != Z_OK && status != Z_STREAM_END) {
            return broken(fmt::format("a compressed answer is broken: {}",
                                      s.zlib.msg == nullptr ? "no reason given" : s.zlib.msg));
        }
        s.is_at_end = status == Z_STREAM_END;
        const std::size_t size = s.plain.size() - s.zlib.avail_out;
        if (size > s.plain_left) {
            return broken("a compressed answer is larger than any answer may be");
        }
        s.plain_left -= size;
        if (size > 0) {
            return std::string_view(s.plain.data(), size);
        }
    }
    return std::string_view{};
}

Result<void> Inflater::finish() const {
    if (!state_->is_at_end) {
        return broken("a compressed answer ends before its data do");
    }
    return {};
}

}  // namespace weir::net
