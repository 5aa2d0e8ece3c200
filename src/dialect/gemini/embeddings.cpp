#include "dialect/gemini/embeddings.h"

#include <fmt/format.h>

#include "dialect/failure.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/encode.h"
#include "dialect/gemini/usage.h"
#include "dialect/json/document.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;

void write_input(Value text, const Target& target, Value dimensions, json::Writer& json) {
    json.object().field("model", resource_of(target.model));
    json.key("content").object().key("parts").array();
    json.object().raw_field("text", text.json()).end_object();
    json.end_array().end_object();
    if (dimensions.has_value()) {
        json.raw_field("outputDimensionality", dimensions.json());
    }
    json.end_object();
}

}  // namespace

Result<EncodedRequest> encode_embeddings(std::string_view body, const Target& target) {
    json::Document document;
    WEIR_TRY(const Value root, document.parse(body, json::Duplicates::refused));
    const Value input = root["input"];
    const Value dimensions = root["dimensions"];
    if (dimensions.has_value() && dimensions.integer().value_or(0) < 1) {
        return fail(Code::invalid_request, "'dimensions' must be a whole number, at least 1.")
            .parameter("dimensions");
    }
    if (!input.is_string() && (!input.is_array() || input.size() == 0)) {
        return fail(Code::invalid_request, "'input' must be a string or an array, not empty.")
            .parameter("input");
    }
    if (input.size() > kEmbeddingsMax) {
        return cannot("input", fmt::format("more than {} texts at once", kEmbeddingsMax));
    }
    EncodedRequest request;
    json::Writer json(request.body);
    json.object().key("requests").array();
    if (input.is_string()) {
        write_input(input, target, dimensions, json);
    }
    for (const Value text : input) {
        if (!text.is_string()) {
            return cannot(text.path(), "token ids as input; send the text itself");
        }
        write_input(text, target, dimensions, json);
    }
    json.end_array().end_object();
    for (const Value member : root) {
        const std::string_view key = member.key();
        if (key != "model" && key != "input" && key != "dimensions" && key != "encoding_format") {
            request.dropped.emplace_back(key);
        }
    }
    return request;
}

Result<Vectors> decode_embeddings(std::string_view body,
                                  std::string_view model,
                                  std::int64_t input_tokens_estimate) {
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (!root) {
        return unusable_answer(root.error().message());
    }
    if ((*root)["error"].has_value()) {
        return std::unexpected(decode_error({.status = kServerError, .body = body}));
    }
    const Value list = (*root)["embeddings"];
    if (!list.is_array() || list.size() == 0) {
        return unusable_answer("an answer without embeddings");
    }
    Vectors result;
    json::Writer json(result.body);
    json.object().field("object", "list").key("data").array();
    std::int64_t index = 0;
    for (const Value embedding : list) {
        const Value values = embedding["values"];
        if (!values.is_array() || values.size() == 0) {
            return unusable_answer("an embedding without values");
        }
        json.object().field("object", "embedding").field("index", index++);
        json.key("embedding").array();
        for (const Value number : values) {
            json.raw(number.json());  // without the white space that Google puts between
        }
        json.end_array().end_object();
    }
    json.end_array().field("model", model);
    const auto usage = decode_usage((*root)["usageMetadata"]);
    result.usage =
        usage.value_or(llm::Usage{.input_tokens = input_tokens_estimate, .estimated = true});
    json.key("usage").object().field("prompt_tokens", result.usage.input_tokens);
    json.field("total_tokens", result.usage.input_tokens).end_object().end_object();
    return result;
}

}  // namespace weir::dialect::gemini
