// AWS's event stream (`application/vnd.amazon.eventstream`), incrementally and without copying: a
// frame that lies whole in the bytes fed is given as views of them. Any split of the bytes gives
// the same frames. Pure.
//
//   total length u32 | length of the headers u32 | CRC of these eight bytes u32
//   headers: (length of the name u8 | name | kind u8 | value)*
//   payload
//   CRC of all that u32                              all numbers big-endian
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::dialect::aws {

// AWS's own limits for one message and for its headers.
inline constexpr std::size_t kFrameBytesMax = 16u << 20;
inline constexpr std::size_t kHeadersBytesMax = 128u << 10;
// Far more than any service sends; bounds what a hostile frame costs.
inline constexpr std::size_t kHeadersMax = 256;

// The numbers are those of the wire.
enum class HeaderKind : std::uint8_t {
    true_ = 0,
    false_ = 1,
    int8 = 2,
    int16 = 3,
    int32 = 4,
    int64 = 5,
    bytes = 6,
    string = 7,
    timestamp = 8,  // milliseconds of Unix time
    uuid = 9,       // 16 bytes
};

struct Header {
    std::string_view name;
    HeaderKind kind = HeaderKind::string;
    std::string_view text;    // of string, bytes and uuid
    std::int64_t number = 0;  // of the integers and the timestamp; 1 of true
    bool operator==(const Header&) const = default;
};

struct Frame {
    std::span<const Header> headers;
    std::string_view payload;
    // The text of a string header; empty where there is none.
    std::string_view text(std::string_view name) const;
};

class FrameDecoder {
public:
    // Takes the next bytes; then call next() until it says false. The bytes must stay until then.
    // A frame's views are valid until the following call of next().
    void feed(std::string_view bytes);
    // true: `frame` is the next one. false: the bytes are used up. Error: upstream_invalid_response
    // where this is no event stream (a checksum is wrong, a length is impossible, a header is
    // broken); nothing can be read after it.
    Result<bool> next(Frame& frame);
    // A frame has begun and not ended.
    bool has_partial() const { return !partial_given_ && !partial_.empty(); }

private:
    Result<std::size_t> frame_size(std::string_view prelude) const;
    Result<void> decode(std::string_view bytes, Frame& frame);

    std::string_view bytes_;
    bool partial_given_ = false;
    std::string partial_;  // the beginning of a frame that straddles feeds
    std::vector<Header> headers_;
};

// The reverse: appends one whole frame. Names are 1 to 255 bytes, texts at most 65,535.
void append_frame(std::string& into, std::span<const Header> headers, std::string_view payload);
// An event of a service that speaks JSON, and the end of a stream that failed.
void append_event(std::string& into, std::string_view event_type, std::string_view json);
void append_exception(std::string& into, std::string_view exception_type, std::string_view json);

}  // namespace weir::dialect::aws
