// The pieces of Bedrock's codec, for this folder only. Pure.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/edge.h"
#include "dialect/json/document.h"
#include "llm/answer.h"
#include "llm/usage.h"

namespace weir::dialect::bedrock {

// What the target has no word for (the rule of API-MAPPING 1.11):
//
//   refused  n > 1, logprobs, modalities other than text, json_object, a schema for a model without
//            structured output that is no Claude (those get it as a tool that must be called,
//            answer_tool.h, unless tools and thinking are wanted beside it), a forced tool for a
//            model that cannot be forced, a tool choice of `none` while the conversation holds
//            calls, media by http URL or file id, media of a form Bedrock does not name, a limit
//            below 1, parts and tools of another dialect
//   dropped  seed, penalties, user, verbosity, image detail, names of participants; top_k,
//            sampling, thinking, cache marks, `strict` and error marks where the model does not
//            know them; service tiers without an equal; unknown fields that the provider does not
//            list
//   changed  system and developer messages after the first turn go into the user's turn;
//            temperature is cut to 0..1; ids of calls that Bedrock would refuse get others
Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target);
// The limit of the encoded request, raised by a budget to think with; 0: it has none.
std::int64_t output_tokens_max(const llm::Call& call, const Target& target);

Result<llm::Answer> decode_answer(std::string_view body);
// Bedrock never omits its terminal: the parameter is not used.
std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_terminal);
Error decode_error(const Refusal& refusal);

// An exception of AWS by its name, as a header or a frame has it: "ThrottlingException",
// "throttlingException", with or without a name space before it and an address behind it.
struct Exception {
    int status = 0;  // 0: not said, as in a stream
    std::string_view type;
    std::string message;
    std::optional<std::chrono::milliseconds> retry_after;
};
Error error_of(Exception exception);

// Bedrock counts cached tokens beside inputTokens. Unset where `usage` is no object.
std::optional<llm::Usage> decode_usage(json::Value usage);
llm::Citation decode_citation(json::Value citation);

struct Stop {
    llm::FinishReason reason = llm::FinishReason::none;
    std::string text;  // the sequence met, or the word of FinishReason::other
};
// Of an answer or a messageStop event. Errors: upstream_invalid_response where the model's output
// was broken (malformed_tool_use), or where nothing is said.
// `said`: what of calls there was.
enum class Calls : std::uint8_t { none, answer, real };  // answer: a text in the form of a call
Result<Stop> decode_stop(json::Value answer, Calls said);

// What the provider's own runtime did (Nova's code interpreter): not the client's to answer.
bool is_server_tool(json::Value tool_use);

}  // namespace weir::dialect::bedrock
