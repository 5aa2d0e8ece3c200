// The functions behind the edges of this folder, one file each. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "dialect/edge.h"

namespace weir::dialect::gemini {

// The client's side.
Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch);
Result<llm::Call> decode_request(const Request& request, std::string_view body);
std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms);
std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms);
std::string encode_error(const Error& error, std::string_view request_id);

// The provider's side.
Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target);
Result<llm::Answer> decode_answer(std::string_view body);
std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_terminal);
Error decode_error(const Refusal& refusal);

// Both sides.
Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into);
std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms);

}  // namespace weir::dialect::gemini
