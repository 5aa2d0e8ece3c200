// The functions behind edge.h, one file each. Within the folder only.
#pragma once

#include "dialect/edge.h"
#include "dialect/json/document.h"
#include "dialect/json/writer.h"

namespace weir::dialect::openai_chat {

Result<llm::Call> decode_request(const Request& request, std::string_view body);
Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target);

Result<llm::Answer> decode_answer(std::string_view body);
std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms);

std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_done);
std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms);

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into);
std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms);

// `usage` of an answer or chunk; nullopt where it says nothing. OpenAI counts cached tokens inside
// prompt_tokens and reasoning inside completion_tokens.
std::optional<llm::Usage> decode_usage(json::Value usage);
void encode_usage(const llm::Usage& usage, json::Writer& json);

llm::FinishReason read_finish_reason(std::string_view word);

// Thinking as other providers' clients of this dialect have it: OpenRouter's `reasoning_details`.
// Appends the parts of one such array; and writes one member of it.
void decode_reasoning_details(json::Value details, std::vector<llm::Part>& into);
void encode_reasoning_detail(const llm::Reasoning& reasoning, json::Writer& json);
// Its name for who signed.
std::string_view format_of(llm::Dialect dialect);
std::optional<llm::Dialect> dialect_of_format(std::string_view format);

// Gemini's signature on a tool call, as Google's own server of this dialect sends it.
llm::Signature read_google_signature(json::Value tool_call);
void write_google_signature(const llm::Signature& signature, json::Writer& json);

}  // namespace weir::dialect::openai_chat
