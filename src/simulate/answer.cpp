#include "simulate/answer.h"

#include <nlohmann/json.hpp>

#include "base/random.h"

namespace weir::simulate {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kWords[] = {
    "the",     "river", "keeps", "its",   "level",  "while",   "water", "passes",  "over",
    "a",       "low",   "wall",  "and",   "every",  "drop",    "is",    "counted", "once",
    "before",  "it",    "moves", "on",    "slowly", "to",      "mills", "that",    "turn",
    "without", "haste", "or",    "waste", "until",  "evening",
};
constexpr std::size_t kTokensMin = 12;
constexpr std::size_t kTokensSpread = 36;
constexpr std::size_t kBytesPerToken = 4;

void collect_text(const Json& value, std::string& into) {
    if (value.is_string()) {
        into += value.get_ref<const std::string&>();
    } else if (value.is_array()) {
        for (const auto& item : value) {
            collect_text(item, into);
        }
    } else if (value.is_object()) {
        for (const auto* key : {"content", "text", "arguments"}) {
            if (const auto found = value.find(key); found != value.end()) {
                collect_text(*found, into);
            }
        }
    }
}

Result<Json> parse(std::string_view body) {
    Json json = Json::parse(body, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
        return fail(Code::invalid_json, "The body is not a JSON object.");
    }
    return json;
}

template <class T>
T value_or(const Json& json, const char* key, T fallback) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) {
        return fallback;
    }
    if constexpr (std::is_same_v<T, bool>) {
        return found->is_boolean() ? found->get<bool>() : fallback;
    } else {
        return found->is_number_integer() ? found->get<T>() : fallback;
    }
}

}  // namespace

std::uint64_t hash(std::uint64_t seed, std::string_view text) {
    std::uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;  // FNV-1a
    }
    return h;
}

Result<Prompt> read_chat(std::string_view body) {
    WEIR_TRY(const Json json, parse(body));
    const auto messages = json.find("messages");
    if (messages == json.end() || !messages->is_array() || messages->empty()) {
        return fail(Code::invalid_request, "'messages' must be a non-empty array.")
            .parameter("messages");
    }
    Prompt prompt;
    prompt.model = json.value("model", "");
    collect_text(*messages, prompt.text);
    prompt.max_tokens = value_or<std::int64_t>(
        json, "max_completion_tokens", value_or<std::int64_t>(json, "max_tokens", 0));
    prompt.stream = value_or(json, "stream", false);
    if (const auto options = json.find("stream_options");
        options != json.end() && options->is_object()) {
        prompt.include_usage = value_or(*options, "include_usage", false);
    }
    return prompt;
}

Result<Prompt> read_embeddings(std::string_view body) {
    WEIR_TRY(const Json json, parse(body));
    const auto input = json.find("input");
    if (input == json.end() || (!input->is_string() && !input->is_array()) || input->empty()) {
        return fail(Code::invalid_request, "'input' must be a string or an array.")
            .parameter("input");
    }
    Prompt prompt;
    prompt.model = json.value("model", "");
    collect_text(*input, prompt.text);
    const bool one =
        input->is_string() || input->front().is_number();  // an array of token ids is one input
    prompt.inputs = one ? 1 : input->size();
    prompt.dimensions = static_cast<std::size_t>(
        std::clamp<std::int64_t>(value_or<std::int64_t>(json, "dimensions", 8), 1, 4096));
    return prompt;
}

Answer answer(std::uint64_t seed, const Prompt& prompt) {
    Random random(hash(seed, prompt.text));
    Answer made;
    made.prompt_tokens =
        static_cast<std::int64_t>((prompt.text.size() + kBytesPerToken - 1) / kBytesPerToken) + 3;
    std::size_t count = kTokensMin + random.below(kTokensSpread);
    if (prompt.max_tokens > 0 && static_cast<std::size_t>(prompt.max_tokens) <= count) {
        made.cut_by_limit = static_cast<std::size_t>(prompt.max_tokens) < count;
        count = static_cast<std::size_t>(prompt.max_tokens);
    }
    made.tokens.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto word = kWords[random.below(std::size(kWords))];
        made.tokens.push_back(i == 0 ? std::string(word) : " " + std::string(word));
    }
    return made;
}

std::vector<double> embedding(std::uint64_t seed,
                              std::string_view text,
                              std::size_t index,
                              std::size_t dimensions) {
    Random random(hash(seed + index, text));
    std::vector<double> components(dimensions);
    for (double& component : components) {
        component = random.unit() * 2 - 1;
    }
    return components;
}

}  // namespace weir::simulate
