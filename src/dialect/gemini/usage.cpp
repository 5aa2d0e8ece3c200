#include "dialect/gemini/usage.h"

#include <algorithm>

namespace weir::dialect::gemini {
namespace {

// No answer has more; sums of what a provider says stay far from overflow.
constexpr std::int64_t kTokensMax = std::int64_t{1} << 40;

}  // namespace

void UsageCounts::set(std::string_view key, std::int64_t count) {
    count = std::clamp<std::int64_t>(count, 0, kTokensMax);
    if (key == "promptTokenCount") {
        prompt = count;
    } else if (key == "toolUsePromptTokenCount") {
        tool_prompt = count;
    } else if (key == "candidatesTokenCount") {
        candidates = count;
    } else if (key == "thoughtsTokenCount") {
        thoughts = count;
    } else if (key == "totalTokenCount") {
        total = count;
    } else if (key == "cachedContentTokenCount") {
        cached = count;
    }
}

void UsageCounts::set_detail(std::string_view list, std::string_view modality, std::int64_t count) {
    count = std::clamp<std::int64_t>(count, 0, kTokensMax);
    const bool is_audio = modality == "AUDIO";
    if (list == "candidatesTokensDetails") {
        audio_out += is_audio ? count : 0;
        image_out += modality == "IMAGE" ? count : 0;
    } else if (is_audio && list == "cacheTokensDetails") {
        audio_cached += count;
    } else if (is_audio &&
               (list == "promptTokensDetails" || list == "toolUsePromptTokensDetails")) {
        audio_in += count;
    }
}

std::optional<llm::Usage> UsageCounts::normal() const {
    if (!prompt && !candidates && !thoughts && !total) {
        return std::nullopt;
    }
    llm::Usage usage;
    // What the provider's tools read is counted beside the prompt, thoughts beside the answer.
    usage.input_tokens = prompt.value_or(0) + tool_prompt.value_or(0);
    usage.cache_read_tokens = cached;
    usage.input_audio_tokens = std::max<std::int64_t>(audio_in - audio_cached, 0);
    usage.reasoning_tokens = thoughts.value_or(0);
    // Where the answer is not counted, the total still tells.
    usage.output_tokens =
        candidates ? *candidates + usage.reasoning_tokens
                   : std::max(total.value_or(0) - usage.input_tokens, usage.reasoning_tokens);
    usage.output_audio_tokens = audio_out;
    usage.output_image_tokens = image_out;
    usage.tier = tier;
    return usage.clamped();
}

std::optional<llm::Usage> decode_usage(json::Value metadata) {
    UsageCounts counts;
    counts.tier = llm::read_service_tier(metadata["serviceTier"].string_or(""));
    for (const json::Value member : metadata) {
        if (const auto count = member.integer()) {
            counts.set(member.key(), *count);
        }
        for (const json::Value detail : member) {
            std::string aside;
            counts.set_detail(member.key(),
                              detail["modality"].view(aside),
                              detail["tokenCount"].integer().value_or(0));
        }
    }
    return counts.normal();
}

namespace {

void encode_details(std::string_view list,
                    std::string_view modality,
                    std::int64_t count,
                    std::int64_t whole,
                    json::Writer& json) {
    if (count == 0) {
        return;
    }
    json.key(list).array();
    if (whole > count) {
        json.object().field("modality", "TEXT").field("tokenCount", whole - count).end_object();
    }
    json.object().field("modality", modality).field("tokenCount", count).end_object();
    json.end_array();
}

}  // namespace

void encode_usage(const llm::Usage& usage, json::Writer& json) {
    const std::int64_t answer = usage.output_tokens - usage.reasoning_tokens;
    json.object().field("promptTokenCount", usage.input_tokens);
    json.field("candidatesTokenCount", answer);
    json.field("totalTokenCount", usage.input_tokens + usage.output_tokens);
    if (usage.cache_read_tokens > 0) {
        json.field("cachedContentTokenCount", usage.cache_read_tokens);
    }
    if (usage.reasoning_tokens > 0) {
        json.field("thoughtsTokenCount", usage.reasoning_tokens);
    }
    encode_details(
        "promptTokensDetails", "AUDIO", usage.input_audio_tokens, usage.input_tokens, json);
    if (usage.output_image_tokens > 0) {
        encode_details("candidatesTokensDetails", "IMAGE", usage.output_image_tokens, answer, json);
    } else {
        encode_details("candidatesTokensDetails", "AUDIO", usage.output_audio_tokens, answer, json);
    }
    json.end_object();
}

}  // namespace weir::dialect::gemini
