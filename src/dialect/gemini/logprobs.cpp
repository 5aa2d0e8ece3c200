#include "dialect/gemini/logprobs.h"

#include <fmt/format.h>

namespace weir::dialect::gemini {
namespace {

using json::Value;

// Numbers pass as they came.
std::string_view number_of(Value value) { return value.is_number() ? value.json() : "0"; }
std::string_view token_of(Value value) { return value.is_string() ? value.json() : "\"\""; }

void write_openai(Value candidate, json::Writer& json) {
    json.raw_field("token", token_of(candidate["token"]));
    json.raw_field("logprob", number_of(candidate["logProbability"]));
    json.key("bytes").null();
}

void write_gemini(Value token, json::Writer& json) {
    json.object().raw_field("token", token_of(token["token"]));
    json.raw_field("logProbability", number_of(token["logprob"])).end_object();
}

}  // namespace

void append_logprobs(Value result, std::string& members) {
    const Value tops = result["topCandidates"];
    auto top = tops.begin();
    for (const Value token : result["chosenCandidates"]) {
        members += members.empty() ? "" : ",";
        json::Writer json(members);
        json.object();
        write_openai(token, json);
        json.key("top_logprobs").array();
        if (tops && !(top == tops.end())) {
            for (const Value other : (*top)["candidates"]) {
                json.object();
                write_openai(other, json);
                json.end_object();
            }
            ++top;
        }
        json.end_array().end_object();
    }
}

std::string decode_logprobs(Value result) {
    if (!result["chosenCandidates"].is_array()) {
        return {};
    }
    std::string members;
    append_logprobs(result, members);
    return fmt::format(R"({{"content":[{}]}})", members);
}

void encode_logprobs(std::string_view openai, json::Writer& json) {
    json::Document document;
    const auto root =
        openai.empty() ? Result<Value>(Value{}) : document.parse(openai, json::Duplicates::allowed);
    if (!root || !(*root)["content"].is_array()) {
        return;
    }
    const Value tokens = (*root)["content"];
    json.key("logprobsResult").object().key("chosenCandidates").array();
    for (const Value token : tokens) {
        write_gemini(token, json);
    }
    json.end_array().key("topCandidates").array();
    for (const Value token : tokens) {
        json.object().key("candidates").array();
        for (const Value other : token["top_logprobs"]) {
            write_gemini(other, json);
        }
        json.end_array().end_object();
    }
    json.end_array().end_object();
}

}  // namespace weir::dialect::gemini
