#include "pipeline/wishes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::pipeline {
namespace {

// `low`, `normal` and `high` are what people write, numbers what schedulers do.
constexpr std::int64_t kLow = -1;
constexpr std::int64_t kHigh = 1;

Failure bad_field(std::string_view name, std::string_view expected) {
    return fail(Code::invalid_request, fmt::format("The field {} must be {}.", name, expected))
        .parameter(std::string(name));
}

std::optional<std::int64_t> read_integer(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

Result<std::int64_t> read_priority(std::string_view text) {
    if (equals_ignoring_case(text, "low")) {
        return kLow;
    }
    if (equals_ignoring_case(text, "normal")) {
        return 0;
    }
    if (equals_ignoring_case(text, "high")) {
        return kHigh;
    }
    const auto number = read_integer(text);
    if (!number) {
        return bad_field(kPriorityField, "low, normal, high or a number");
    }
    return *number;
}

Result<void> add_tag(Wishes& wishes, std::string_view tag) {
    if (wishes.tag_count == kTagsMax || tag.size() > kTagBytesMax) {
        return bad_field(
            kTagsField,
            fmt::format(
                "a list of at most {} tags of at most {} bytes each", kTagsMax, kTagBytesMax));
    }
    const auto tags = wishes.tags();
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) {
        wishes.tag_list[wishes.tag_count++] = tag;
    }
    return {};
}

Result<void> read_tags(std::string_view list, Wishes& wishes) {
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string_view tag = trim(list.substr(0, comma));
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
        if (!tag.empty()) {
            WEIR_TRY(add_tag(wishes, tag));
        }
    }
    return {};
}

}  // namespace

Result<Wishes> read_wishes(const net::RequestHead& head, const auth::KeyRecord& key) {
    Wishes wishes;
    wishes.priority = key.priority;
    for (const std::string& tag : key.tags) {
        if (wishes.tag_count < kTagsMax) {
            wishes.tag_list[wishes.tag_count++] = tag;
        }
    }
    if (const auto pin = head.find(kPinField); !pin.empty()) {
        if (!key.may_pin) {
            return fail(Code::permission_denied,
                        "This API key may not choose the provider: leave out x-weir-pin.")
                .parameter(std::string(kPinField));
        }
        wishes.pin = pin;
    }
    if (const auto text = head.find(kTimeoutField); !text.empty()) {
        const auto ms = read_integer(text);
        if (!ms || *ms < 1 || *ms > kTimeoutMsMax) {
            return bad_field(kTimeoutField,
                             fmt::format("a number of milliseconds from 1 to {}", kTimeoutMsMax));
        }
        wishes.timeout = std::chrono::milliseconds{*ms};
    }
    if (const auto text = head.find(kPriorityField); !text.empty()) {
        WEIR_TRY(const auto asked, read_priority(text));
        wishes.priority = std::min(asked, key.priority);
    }
    WEIR_TRY(read_tags(head.find(kTagsField), wishes));
    return wishes;
}

}  // namespace weir::pipeline
