#include "dialect/sse/decoder.h"

#include <emmintrin.h>

#include <bit>

namespace weir::dialect::sse {
namespace {

// The first CR or LF from `at` on, or the size.
std::size_t find_line_end(std::string_view bytes, std::size_t at) {
    const __m128i cr = _mm_set1_epi8('\r');
    const __m128i lf = _mm_set1_epi8('\n');
    while (bytes.size() - at >= 16) {
        const __m128i chunk = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes.data() + at));
        const __m128i ends = _mm_or_si128(_mm_cmpeq_epi8(chunk, cr), _mm_cmpeq_epi8(chunk, lf));
        const auto mask = static_cast<unsigned>(_mm_movemask_epi8(ends));
        if (mask != 0) {
            return at + static_cast<std::size_t>(std::countr_zero(mask));
        }
        at += 16;
    }
    while (at < bytes.size() && bytes[at] != '\r' && bytes[at] != '\n') {
        ++at;
    }
    return at;
}

}  // namespace

void Decoder::feed(std::string_view bytes) {
    bytes_ = bytes;
    block_at_ = scan_at_ = 0;
}

bool Decoder::find_end() {
    if (awaits_lf_ && scan_at_ < bytes_.size()) {
        awaits_lf_ = false;
        scan_at_ += bytes_[scan_at_] == '\n' ? 1 : 0;
        return true;
    }
    while (scan_at_ < bytes_.size()) {
        const std::size_t end = find_line_end(bytes_, scan_at_);
        if (end > scan_at_) {
            line_is_empty_ = false;
            after_cr_ = false;
        }
        if (end == bytes_.size()) {
            scan_at_ = end;
            return false;
        }
        const char c = bytes_[end];
        scan_at_ = end + 1;
        if (c == '\n' && after_cr_) {  // the second half of CR LF
            after_cr_ = false;
            uses_crlf_ = true;
            continue;
        }
        after_cr_ = c == '\r';
        if (after_cr_ && scan_at_ < bytes_.size() && bytes_[scan_at_] == '\n') {
            ++scan_at_;
            after_cr_ = false;
            uses_crlf_ = true;
        }
        if (line_is_empty_) {
            // Where lines end with CR LF, the LF to come belongs to this event: left behind, it
            // would look like the beginning of another.
            awaits_lf_ = after_cr_ && uses_crlf_ && scan_at_ == bytes_.size();
            after_cr_ = after_cr_ && !awaits_lf_;
            return !awaits_lf_;
        }
        line_is_empty_ = true;
    }
    return false;
}

// What nearly every event is: one line of data, whole in the bytes, then an empty line. false:
// nothing was taken.
bool Decoder::take_plain(Event& event) {
    constexpr std::string_view kData = "data: ";
    const std::string_view rest = bytes_.substr(block_at_);
    if (!partial_.empty() || block_at_ != scan_at_ || !line_is_empty_ || after_cr_ || awaits_lf_ ||
        !rest.starts_with(kData)) {
        return false;
    }
    const std::size_t end = find_line_end(rest, kData.size());
    if (rest.size() - end < 2 || rest[end] != '\n' || rest[end + 1] != '\n' ||
        end + 2 > kEventBytesMax) {
        return false;
    }
    event = {.data = rest.substr(kData.size(), end - kData.size()), .raw = rest.substr(0, end + 2)};
    block_at_ = scan_at_ = block_at_ + end + 2;
    at_start_ = false;
    return true;
}

Result<bool> Decoder::next(Event& event) {
    if (partial_given_) {
        partial_.clear();
        partial_given_ = false;
    }
    if (take_plain(event)) {
        return true;
    }
    for (;;) {
        const bool ended = find_end();
        const std::string_view block = bytes_.substr(block_at_, scan_at_ - block_at_);
        if (partial_.size() + block.size() > kEventBytesMax) {
            return fail(Code::upstream_invalid_response,
                        "The model provider gave an answer that cannot be used; try again.")
                .detail("an SSE event is too large");
        }
        block_at_ = scan_at_;
        if (!ended) {
            partial_ += block;
            return false;
        }
        if (partial_.empty()) {
            if (decode(block, event)) {
                return true;
            }
        } else {
            partial_ += block;
            if (decode(partial_, event)) {
                partial_given_ = true;
                return true;
            }
            partial_.clear();
        }
    }
}

// false: the block dispatches nothing (no data, no comment).
bool Decoder::decode(std::string_view block, Event& event) {
    event = {};
    event.raw = block;
    if (at_start_) {
        at_start_ = false;
        if (block.starts_with("\xef\xbb\xbf")) {
            block.remove_prefix(3);
        }
    }
    bool has_data = false;
    bool has_comment = false;
    while (!block.empty()) {
        const std::size_t end = find_line_end(block, 0);
        const std::string_view line = block.substr(0, end);
        const bool crlf = block.substr(end).starts_with("\r\n");
        block.remove_prefix(std::min(block.size(), end + (crlf ? 2 : 1)));
        if (line.empty()) {
            continue;
        }
        const std::size_t colon = line.find(':');
        const std::string_view field = line.substr(0, colon);
        std::string_view value =
            colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
        if (value.starts_with(' ')) {
            value.remove_prefix(1);
        }
        if (field == "data") {
            if (!has_data) {
                event.data = value;
            } else {
                if (event.data.data() != joined_.data() || joined_.empty()) {
                    joined_.assign(event.data);
                }
                joined_ += '\n';
                joined_ += value;
                event.data = joined_;
            }
            has_data = true;
        } else if (field == "event") {
            event.name = value;
        } else if (colon == 0) {
            has_comment = true;
        }
    }
    if (has_data) {
        return true;
    }
    event.kind = Event::Kind::comment;
    return has_comment;
}

}  // namespace weir::dialect::sse
