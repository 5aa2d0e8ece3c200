// The words and figures that requests, answers and streams share.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "dialect/anthropic/codec.h"

namespace weir::dialect::anthropic {
namespace {

// No count of tokens comes near it; sums of a few cannot overflow.
constexpr std::int64_t kCountMax = 1'000'000'000'000;

struct StopWord {
    std::string_view word;
    llm::FinishReason reason;
};
constexpr std::array<StopWord, 9> kStopWords{{
    {"end_turn", llm::FinishReason::stop},
    {"stop_sequence", llm::FinishReason::stop_sequence},
    {"max_tokens", llm::FinishReason::length},
    {"tool_use", llm::FinishReason::tool_calls},
    {"refusal", llm::FinishReason::content_filter},
    // The model would go on if asked again: whoever does not know that sees an answer that ended.
    {"pause_turn", llm::FinishReason::stop},
    {"compaction", llm::FinishReason::stop},
    {"model_context_window_exceeded", llm::FinishReason::length},
    {"error", llm::FinishReason::error},
}};

}  // namespace

Failure wrong(json::Value value, std::string_view expected) {
    const std::string path = value.path();
    return fail(Code::invalid_request, fmt::format("'{}' must be {}.", path, expected))
        .parameter(path);
}

llm::FinishReason read_stop_reason(std::string_view word) {
    const auto found = std::find_if(kStopWords.begin(),
                                    kStopWords.end(),
                                    [word](const StopWord& known) { return known.word == word; });
    return found == kStopWords.end() ? llm::FinishReason::other : found->reason;
}

std::string_view stop_reason(llm::FinishReason reason, std::string_view finish_word) {
    switch (reason) {
        case llm::FinishReason::none:
            return {};
        case llm::FinishReason::stop:
            return "end_turn";
        case llm::FinishReason::stop_sequence:
            return "stop_sequence";
        case llm::FinishReason::length:
            return "max_tokens";
        case llm::FinishReason::tool_calls:
            return "tool_use";
        case llm::FinishReason::content_filter:
            return "refusal";
        case llm::FinishReason::error:
            return "error";
        case llm::FinishReason::other:
            return finish_word;
    }
    std::unreachable();
}

void UsageCounters::set(std::string_view key, std::int64_t value) {
    struct Counter {
        std::string_view key;
        std::int64_t UsageCounters::* member;
    };
    static constexpr std::array<Counter, 8> kCounters{{
        {"input_tokens", &UsageCounters::uncached_},
        {"output_tokens", &UsageCounters::output_},
        {"cache_read_input_tokens", &UsageCounters::read_},
        {"cache_creation_input_tokens", &UsageCounters::write_},
        {"ephemeral_5m_input_tokens", &UsageCounters::write_5m_},
        {"ephemeral_1h_input_tokens", &UsageCounters::write_1h_},
        {"thinking_tokens", &UsageCounters::thinking_},
        {"web_search_requests", &UsageCounters::searches_},
    }};
    for (const Counter& counter : kCounters) {
        if (counter.key == key) {
            this->*counter.member = std::clamp<std::int64_t>(value, 0, kCountMax);
            known_ = true;
            return;
        }
    }
}

void UsageCounters::set_tier(std::string_view word) {
    if (const auto tier = llm::read_service_tier(word)) {
        tier_ = tier;
    }
}

void UsageCounters::take(json::Value usage) {
    set_tier(usage["service_tier"].string_or(""));
    for (const json::Value member : usage) {
        if (const auto value = member.integer()) {
            set(member.key(), *value);
        } else if (member.is_object()) {
            for (const json::Value inner : member) {
                if (const auto part = inner.integer()) {
                    set(inner.key(), *part);
                }
            }
        }
    }
}

llm::Usage UsageCounters::normal() const {
    // Anthropic counts cached tokens beside input_tokens; some tell of a write by its parts only.
    const std::int64_t write = std::max(write_, write_5m_ + write_1h_);
    return llm::Usage{.input_tokens = uncached_ + read_ + write,
                      .cache_read_tokens = read_,
                      .cache_write_tokens = write,
                      .cache_write_1h_tokens = write_1h_,
                      .output_tokens = output_,
                      .reasoning_tokens = thinking_,
                      .searches = searches_,
                      .tier = tier_}
        .clamped();
}

void write_usage(const llm::Usage& usage, json::Writer& json) {
    const llm::Usage u = usage.clamped();
    json.field("input_tokens", u.input_tokens - u.cache_read_tokens - u.cache_write_tokens);
    json.field("cache_creation_input_tokens", u.cache_write_tokens);
    json.field("cache_read_input_tokens", u.cache_read_tokens);
    json.field("output_tokens", u.output_tokens);
    if (u.reasoning_tokens > 0) {
        json.key("output_tokens_details").object();
        json.field("thinking_tokens", u.reasoning_tokens).end_object();
    }
    json.key("server_tool_use");
    if (u.searches > 0) {
        json.object().field("web_search_requests", u.searches);
        json.field("web_fetch_requests", std::int64_t{0}).end_object();
    } else {
        json.null();
    }
}

void write_message_usage(const llm::Usage& usage, std::string_view tier, json::Writer& json) {
    const llm::Usage u = usage.clamped();
    json.key("cache_creation").object();
    json.field("ephemeral_5m_input_tokens", u.cache_write_tokens - u.cache_write_1h_tokens);
    json.field("ephemeral_1h_input_tokens", u.cache_write_1h_tokens).end_object();
    json.key("inference_geo").null().key("service_tier");
    if (tier.empty()) {
        json.null();
    } else {
        // Others' words for what is neither faster nor later: default, flex, on_demand …
        json.string(tier == "priority" || tier == "batch" ? tier : "standard");
    }
}

void write_stop(std::string_view reason, std::string_view sequence, json::Writer& json) {
    const auto nullable = [&json](std::string_view name, std::string_view text) {
        json.key(name);
        text.empty() ? json.null() : json.string(text);
    };
    nullable("stop_reason", reason);
    nullable("stop_sequence", sequence);
    json.key("stop_details");
    if (reason == "refusal") {
        json.object().field("type", "refusal").key("category").null();
        json.key("explanation").null().end_object();
    } else {
        json.null();
    }
    json.key("container").null();
}

std::string message_id(std::string_view provider_id, std::string_view request_id) {
    return provider_id.starts_with("msg_") ? std::string(provider_id)
                                           : fmt::format("msg_{}", request_id);
}

}  // namespace weir::dialect::anthropic
