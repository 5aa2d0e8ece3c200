#include "dialect/json/likeness.h"

#include "base/byte_blocks.h"

namespace weir::dialect::json {

void Likeness::learn(std::string_view text, std::span<const Span> strings) {
    WEIR_ASSERT(!strings.empty() && strings.size() <= kStringsMax);
    if (misses_ >= kMissesMax || text.size() > kBytesMax) {
        fixed_ = {};
        count_ = 0;
        return;
    }
    fixed_.clear();
    std::size_t from = 0;
    for (std::size_t i = 0; i < strings.size(); ++i) {
        WEIR_ASSERT(strings[i].at >= from && strings[i].size >= 2);
        fixed_ += text.substr(from, strings[i].at + 1 - from);
        cuts_[i] = static_cast<std::uint16_t>(fixed_.size());
        from = strings[i].end() - 1;
    }
    fixed_ += text.substr(from);
    count_ = static_cast<std::uint8_t>(strings.size());
}

bool Likeness::matches(std::string_view text, std::span<Span> strings) {
    if (count_ == 0) {
        return false;
    }
    const std::string_view fixed = fixed_;
    const char* const end = text.data() + text.size();
    std::size_t at = 0;
    std::size_t fixed_at = 0;
    ++misses_;  // until it is known to be none
    for (std::size_t i = 0; i < count_; ++i) {
        const std::string_view before = fixed.substr(fixed_at, cuts_[i] - fixed_at);
        if (!text.substr(at).starts_with(before)) {
            return false;
        }
        at += before.size();
        fixed_at = cuts_[i];
        bool escaped = false;
        const char* fault = nullptr;
        const char* const behind = detail::skip_string(text.data() + at, end, escaped, fault);
        if (behind == nullptr) {
            return false;  // a scan says what is wrong
        }
        const auto size = static_cast<std::size_t>(behind - 1 - (text.data() + at));
        const std::string_view words = text.substr(at, size);
        if (!is_ascii(words) && detail::find_invalid_utf8(words) != std::string_view::npos) {
            return false;
        }
        strings[i] = {.at = at - 1, .size = size + 2};
        at += size;
    }
    if (text.substr(at) != fixed.substr(fixed_at)) {
        return false;
    }
    misses_ = 0;
    return true;
}

}  // namespace weir::dialect::json
