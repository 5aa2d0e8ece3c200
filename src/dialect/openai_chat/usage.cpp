#include "dialect/openai_chat/codec.h"

namespace weir::dialect::openai_chat {

std::optional<llm::Usage> decode_usage(json::Value usage) {
    const auto prompt = usage["prompt_tokens"].integer();
    const auto total = usage["total_tokens"].integer();
    if (!prompt && !total) {
        return std::nullopt;
    }
    const json::Value input = usage["prompt_tokens_details"];
    const json::Value output = usage["completion_tokens_details"];
    llm::Usage decoded{
        .input_tokens = prompt.value_or(0),
        .cache_read_tokens = input["cached_tokens"].integer().value_or(
            usage["prompt_cache_hit_tokens"].integer().value_or(0)),  // DeepSeek's name
        .cache_write_tokens = input["cache_write_tokens"].integer().value_or(0),
        .input_audio_tokens = input["audio_tokens"].integer().value_or(0),
        .output_tokens = usage["completion_tokens"].integer().value_or(
            std::max<std::int64_t>(total.value_or(0) - prompt.value_or(0), 0)),
        .reasoning_tokens = output["reasoning_tokens"].integer().value_or(0),
        .output_audio_tokens = output["audio_tokens"].integer().value_or(0)};
    return decoded.clamped();
}

void encode_usage(const llm::Usage& usage, json::Writer& json) {
    json.object();
    json.field("prompt_tokens", usage.input_tokens);
    json.field("completion_tokens", usage.output_tokens);
    json.field("total_tokens", usage.input_tokens + usage.output_tokens);
    json.key("prompt_tokens_details").object();
    json.field("cached_tokens", usage.cache_read_tokens);
    if (usage.cache_write_tokens > 0) {
        json.field("cache_write_tokens", usage.cache_write_tokens);
    }
    json.field("audio_tokens", usage.input_audio_tokens).end_object();
    json.key("completion_tokens_details").object();
    json.field("reasoning_tokens", usage.reasoning_tokens);
    json.field("audio_tokens", usage.output_audio_tokens).end_object();
    json.end_object();
}

}  // namespace weir::dialect::openai_chat
