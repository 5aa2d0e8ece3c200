// Server-sent events (WHATWG HTML, section 9.2), incrementally and without copying: an event that
// lies whole in the bytes fed is given as a view of them. Any split of the bytes gives the same
// events. Pure.
//
// Each event also has its raw bytes, so that it can be relayed untouched. A block of comments comes
// as an event of its own kind: it says that the other side lives.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::dialect::sse {

// An inline image arrives as one data line and a terminal event may repeat the whole answer: 1 MiB
// is too small.
inline constexpr std::size_t kEventBytesMax = 16u << 20;

struct Event {
    enum class Kind : unsigned char { message, comment };
    Kind kind = Kind::message;
    std::string_view name;  // of `event:`, empty where there is none
    std::string_view data;  // lines joined by LF
    std::string_view raw;   // with the empty line that ended it
};

class Decoder {
public:
    // Takes the next bytes; then call next() until it says false. The bytes must stay until then.
    // An event's views are valid until the following call of next().
    void feed(std::string_view bytes);
    // true: `event` is the next one. false: the bytes are used up. Error: upstream_invalid_response
    // when an event is larger than the limit.
    Result<bool> next(Event& event);
    // An event has begun and not ended.
    bool has_partial() const { return !partial_.empty(); }

private:
    bool find_end();  // moves scan_at_ behind the current block; false: it does not end here
    bool decode(std::string_view block, Event& event);
    bool take_plain(Event& event);

    std::string_view bytes_;
    std::size_t block_at_ = 0;  // where the current block begins in bytes_
    std::size_t scan_at_ = 0;
    bool line_is_empty_ = true;
    bool after_cr_ = false;
    bool uses_crlf_ = false;  // a line ended so
    bool awaits_lf_ = false;  // an event has ended but for that
    bool at_start_ = true;    // the byte order mark may still come
    bool partial_given_ = false;
    std::string partial_;  // the beginning of a block that straddles feeds
    std::string joined_;   // data of several lines
};

}  // namespace weir::dialect::sse
