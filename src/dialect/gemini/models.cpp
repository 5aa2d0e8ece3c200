#include "dialect/gemini/models.h"

#include <fmt/format.h>

#include "dialect/json/writer.h"

namespace weir::dialect::gemini {
namespace {

void write_model(const ModelEntry& model, json::Writer& json) {
    json.object().field("name", fmt::format("models/{}", model.id));
    json.field("version", "1").field("displayName", model.id);
    if (model.input_tokens_max > 0) {
        json.field("inputTokenLimit", model.input_tokens_max);
    }
    if (model.output_tokens_max > 0) {
        json.field("outputTokenLimit", model.output_tokens_max);
    }
    json.key("supportedGenerationMethods").array();
    if (model.makes_embeddings) {
        json.string("batchEmbedContents");
    } else {
        json.string("generateContent").string("streamGenerateContent").string("countTokens");
    }
    json.end_array().end_object();
}

}  // namespace

std::string encode_model(const ModelEntry& model) {
    std::string text;
    json::Writer json(text);
    write_model(model, json);
    return text;
}

std::string encode_models(const std::vector<ModelEntry>& models) {
    std::string text;
    json::Writer json(text);
    json.object().key("models").array();
    for (const ModelEntry& model : models) {
        write_model(model, json);
    }
    json.end_array().end_object();
    return text;
}

}  // namespace weir::dialect::gemini
