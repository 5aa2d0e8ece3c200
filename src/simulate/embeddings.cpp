#include "simulate/embeddings.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/random.h"
#include "simulate/words.h"

namespace weir::simulate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kDimensions = 8;
constexpr std::int64_t kDimensionsMax = 4096;

void collect_text(const Json& value, std::string& into) {
    if (value.is_string()) {
        into += value.get_ref<const std::string&>();
    } else if (value.is_array()) {
        for (const auto& item : value) {
            collect_text(item, into);
        }
    } else if (value.is_object()) {
        for (const auto* key : {"content", "parts", "text"}) {
            if (const auto found = value.find(key); found != value.end()) {
                collect_text(*found, into);
            }
        }
    }
}

std::size_t dimensions_of(const Json& request, const char* key) {
    const auto found = request.find(key);
    const bool is_said = found != request.end() && found->is_number_integer();
    return static_cast<std::size_t>(std::clamp<std::int64_t>(
        is_said ? found->get<std::int64_t>() : kDimensions, 1, kDimensionsMax));
}

Result<Inputs> read_openai(const Json& json) {
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
    inputs.dimensions = dimensions_of(json, "dimensions");
    return inputs;
}

Result<Inputs> read_gemini(const Door& door, const Json& json) {
    const auto requests = json.find("requests");
    Inputs inputs{.model = door.model, .text = {}, .is_single = requests == json.end()};
    const Json list = inputs.is_single ? Json::array({json}) : *requests;
    for (const Json& one : list) {
        if (!one.is_object() || !one.contains("content")) {
            return fail(Code::invalid_request, "Each request must have its 'content'.")
                .parameter("content");
        }
        collect_text(one, inputs.text);
        inputs.dimensions = dimensions_of(one, "outputDimensionality");
    }
    inputs.count = list.size();
    return inputs;
}

}  // namespace

Result<Inputs> read_embeddings(const Door& door, std::string_view body) {
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object()) {
        return fail(Code::invalid_json, "The body is not a JSON object.");
    }
    return door.dialect == llm::Dialect::gemini ? read_gemini(door, json) : read_openai(json);
}

std::string write_embeddings(const Door& door, const Inputs& inputs, std::uint64_t seed) {
    const bool is_gemini = door.dialect == llm::Dialect::gemini;
    Json data = Json::array();
    for (std::size_t i = 0; i < inputs.count; ++i) {
        Json vector = embedding(seed, inputs.text, i, inputs.dimensions);
        data.push_back(
            is_gemini
                ? Json{{"values", std::move(vector)}}
                : Json{{"object", "embedding"}, {"index", i}, {"embedding", std::move(vector)}});
    }
    const auto tokens = count_prompt_tokens(inputs.text);
    if (!is_gemini) {
        return Json{{"object", "list"},
                    {"data", std::move(data)},
                    {"model", inputs.model},
                    {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}
            .dump();
    }
    Json answer{{"usageMetadata", {{"promptTokenCount", tokens}}}};
    if (inputs.is_single) {
        answer["embedding"] = data.front();
    } else {
        answer["embeddings"] = std::move(data);
    }
    return answer.dump();
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
