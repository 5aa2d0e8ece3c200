// The functions behind edge.h, one file each, and what they share. Within the folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/edge.h"
#include "dialect/json/document.h"
#include "dialect/json/writer.h"

namespace weir::dialect::anthropic {

Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch);
Result<llm::Call> decode_request(const Request& request, std::string_view body);
Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target);
// The max_tokens of the encoded request, raised by a budget to think with.
std::int64_t output_tokens_max(const llm::Call& call, const Target& target);

Result<llm::Answer> decode_answer(std::string_view body);
std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms);

std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_terminal);
std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms);

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into);
std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms);

// {"type":"error","error":{"type":…,"message":…,"code":…},"request_id":…}: `code` is Weir's own.
std::string encode_error(const Error& error, std::string_view request_id);
// Of a status that says nothing (a stream's 200 or the 500 that stands for it) the error's type
// decides.
Error decode_error(const Refusal& refusal);

// invalid_request: "'messages[0].role' must be …", with the path as parameter.
Failure wrong(json::Value value, std::string_view expected);

// Clients send back what Weir carried through them (dialect/carrier.h); providers carry nothing.
enum class Origin : std::uint8_t { client, provider };

// A string, or an array of content blocks; appends what they say. Blocks of unknown types become
// llm::Opaque, texts of no length nothing. Errors: invalid_request with the path.
Result<void> decode_content(json::Value content, Origin origin, std::vector<llm::Part>& into);
llm::Citation decode_citation(json::Value citation);
llm::CacheMark decode_cache_mark(json::Value holder);

llm::FinishReason read_stop_reason(std::string_view word);
// `finish_word` is what FinishReason::other came as. Empty: there is none to tell.
std::string_view stop_reason(llm::FinishReason reason, std::string_view finish_word);

// The counters of `usage`, as they are told event by event: each replaces what was known of it. A
// key is looked for by its name alone, whichever object inside `usage` it stands in.
class UsageCounters {
public:
    void set(std::string_view key, std::int64_t value);
    void set_tier(std::string_view word);
    void take(json::Value usage);
    bool is_known() const { return known_; }
    llm::Usage normal() const;

private:
    bool known_ = false;
    std::int64_t uncached_ = 0, read_ = 0, write_ = 0, write_5m_ = 0, write_1h_ = 0;
    std::int64_t output_ = 0, thinking_ = 0, searches_ = 0;
    std::optional<llm::ServiceTier> tier_;
};
// The members of a `usage` object that is open: input, caches, output. The specification demands
// all of them, and null for what is not known; typed clients are made from it.
void write_usage(const llm::Usage& usage, json::Writer& json);
// Those that only a message's own usage has, behind them; `tier` as any provider says it.
void write_message_usage(const llm::Usage& usage, std::string_view tier, json::Writer& json);
// Why a message stopped: the members of it, or of a message_delta's `delta`. Empty: null.
void write_stop(std::string_view reason, std::string_view sequence, json::Writer& json);

// "msg_…": of this dialect's providers their own; a foreign one would say who they are.
std::string message_id(std::string_view provider_id, std::string_view request_id);

}  // namespace weir::dialect::anthropic
