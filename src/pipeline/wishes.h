// What a caller asks of Weir itself, in fields of the request (DESIGN section 9). Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "auth/identity.h"
#include "base/error.h"
#include "net/http_head.h"
#include "resilience/wait_queue.h"

namespace weir::pipeline {

inline constexpr std::string_view kPinField = "x-weir-pin";
inline constexpr std::string_view kTimeoutField = "x-weir-timeout-ms";
inline constexpr std::string_view kPriorityField = "x-weir-priority";
inline constexpr std::string_view kTagsField = "x-weir-tags";
inline constexpr std::size_t kTagsMax = 16;  // the key's and the request's together
inline constexpr std::size_t kTagBytesMax = 64;
inline constexpr std::int64_t kTimeoutMsMax = 24 * 3'600'000;

struct Wishes {
    std::string_view pin;                              // a provider; empty: any
    std::optional<std::chrono::milliseconds> timeout;  // of the whole call; only tightens
    std::int64_t priority = 0;                         // below zero low, above it high
    std::array<std::string_view, kTagsMax> tag_list{};
    std::size_t tag_count = 0;

    std::span<const std::string_view> tags() const { return {tag_list.data(), tag_count}; }
};

// The class of a key's priority, or of a wish.
inline resilience::Priority class_of(std::int64_t priority) {
    return priority > 0   ? resilience::Priority::high
           : priority < 0 ? resilience::Priority::low
                          : resilience::Priority::normal;
}

// Views refer to the head and to the key. The key's own priority is the highest there is, and its
// tags hold too. Errors: invalid_request naming the field; permission_denied where the key may not
// pin.
Result<Wishes> read_wishes(const net::RequestHead& head, const auth::KeyRecord& key);

}  // namespace weir::pipeline
