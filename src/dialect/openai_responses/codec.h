// The functions behind edge.h, one file each, and what several of them need. Within the folder
// only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/edge.h"
#include "dialect/json/document.h"
#include "dialect/json/writer.h"

namespace weir::dialect::openai_responses {

Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch);
Result<llm::Call> decode_request(const Request& request, std::string_view body);
Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target);

Result<llm::Answer> decode_answer(std::string_view body);
std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms);

std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_terminal);
std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms);

// count_tokens.cpp: {"object":"response.input_tokens","input_tokens":N}.
Result<EncodedRequest> encode_count_request(const llm::Call& call, const Target& target);
std::string encode_token_count(std::int64_t tokens);
Result<std::int64_t> decode_token_count(std::string_view body);

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into);
std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms);

// Understands the body of a refusal, a failed response, and the events `error` and
// `response.failed`.
Error decode_error(const Refusal& refusal);

// The items of `input`, appended: what the model said in a row is one message. Errors:
// invalid_request naming the item.
Result<void> decode_input(json::Value input, std::vector<llm::Message>& into);
// invalid_request: "'path' must be …".
Failure wrong(json::Value value, std::string_view expected);

// A `reasoning` item. Its summaries are one text, its own words come before them.
llm::Reasoning decode_reasoning(json::Value item);
// Between two parts of one summary.
inline constexpr std::string_view kSummaryGap = "\n\n";
llm::Citation decode_annotation(json::Value annotation);
// An `image_generation_call` that is done.
llm::Media decode_made_image(json::Value item);

// `usage` of an answer; nullopt where it says nothing.
std::optional<llm::Usage> decode_usage(json::Value usage);

// Of the output of an answer: they are paid for one by one.
std::int64_t count_searches(json::Value output);
// The members of `logprobs`, appended as OpenAI's chat has them in `content`: a stream's lack the
// bytes that are demanded there.
void add_logprobs(json::Value logprobs, std::string& members);
llm::FinishReason read_incomplete_reason(std::string_view reason);

// Items as the answers hold them, appended. What is `escaped` is the inside of a JSON string; ids
// are of characters that need no escape.
struct TextItem {
    std::string_view id;
    std::string_view status;  // in_progress, completed, incomplete
    std::string_view escaped;
    bool is_refusal = false;
    std::string_view annotations{};  // members of the array
    std::string_view logprobs{};     // members of the array
};
void append_text_part(const TextItem& item, std::string& out);
void append_text_item(const TextItem& item, std::string& out);
// Empty: not said.
void append_reasoning_item(std::string_view id,
                           std::string_view escaped_text,
                           std::string_view encrypted,
                           std::string& out);
struct CallItem {
    std::string_view id;
    std::string_view status;
    std::string_view call_id;
    std::string_view name;
    std::string_view escaped_arguments;
};
void append_call_item(const CallItem& item, std::string& out);
// `base64` empty: not there yet.
void append_image_item(std::string_view id, std::string_view base64, std::string& out);
// false, and nothing is appended: it does not say where in the text it belongs, or of what.
bool append_annotation(const llm::Citation& citation, std::string& out);

// The response object with every key that the specification demands; what Weir does not know is
// null or neutral.
struct ResponseObject {
    std::string_view id;
    std::string_view model;
    std::int64_t created = 0;
    std::string_view status;             // in_progress, completed, incomplete, failed
    std::string_view incomplete_reason;  // of `incomplete`
    std::string_view error_code;         // of `failed`
    std::string_view error_message;
    std::string_view output;  // members of the array
    const llm::Usage* usage = nullptr;
    std::string_view service_tier;
};
void append_response(const ResponseObject& response, std::string& out);
void append_usage(const llm::Usage& usage, std::string& out);

// What makes an answer `incomplete`; empty for all other reasons to finish.
std::string_view incomplete_reason(llm::FinishReason finish);
// One of the closed list that a failed response may name.
std::string_view response_error_code(Code code);
std::string make_response_id(std::string_view request_id);
// Ids of our own making, for the item that stands at `index`.
std::string make_item_id(std::string_view prefix, std::string_view request_id, std::size_t index);
// The provider's id of thinking stays: its seal names it. One of ours where there is none.
std::string reasoning_id(std::string_view id, std::string_view request_id, std::size_t index);

}  // namespace weir::dialect::openai_responses
