#include "simulate/words.h"

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

Result<Inputs> read_embeddings(std::string_view body) {
    WEIR_TRY(const Json json, parse(body));
    const auto input = json.find("input");
    if (input == json.end() || (!input->is_string() && !input->is_array()) || input->empty()) {
        return fail(Code::invalid_request, "'input' must be a string or an array.")
            .parameter("input");
    }
    Inputs inputs;
    inputs.model = json.value("model", "");
    collect_text(*input, inputs.text);
    const bool one =
        input->is_string() || input->front().is_number();  // an array of token ids is one input
    inputs.count = one ? 1 : input->size();
    inputs.dimensions = static_cast<std::size_t>(
        std::clamp<std::int64_t>(value_or<std::int64_t>(json, "dimensions", 8), 1, 4096));
    return inputs;
}

std::int64_t count_prompt_tokens(std::string_view prompt) {
    constexpr std::int64_t kPriming = 3;
    return static_cast<std::int64_t>((prompt.size() + kBytesPerToken - 1) / kBytesPerToken) +
           kPriming;
}

Words make_words(std::uint64_t seed, std::string_view prompt, std::int64_t tokens_max) {
    Random random(hash(seed, prompt));
    Words made;
    std::size_t count = kTokensMin + random.below(kTokensSpread);
    if (tokens_max > 0 && static_cast<std::size_t>(tokens_max) <= count) {
        made.cut_by_limit = static_cast<std::size_t>(tokens_max) < count;
        count = static_cast<std::size_t>(tokens_max);
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
