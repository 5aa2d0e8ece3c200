// A dialect as seen from outside: tables of functions, one for the client's side, one for the
// provider's, one for the case that both are the same. A call from dialect A to dialect B decodes
// with A's client edge, encodes with B's provider edge, and the answer comes back the same way:
// every pair by composition. Each dialect's folder defines its constants. Pure.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/request.h"
#include "dialect/stream.h"
#include "llm/answer.h"
#include "llm/call.h"
#include "llm/names.h"

namespace weir::dialect {

struct ClientEdge {
    llm::Dialect dialect;
    // One pass over the body: what the admission must know. Errors: invalid_json (byte offset),
    // invalid_request naming the parameter.
    Result<Request> (*read_request)(const RequestPath& path,
                                    std::string_view body,
                                    json::Scratch& scratch);
    // The whole of it, for a provider that speaks another dialect. `request` is what read_request()
    // said of the same body. Errors: invalid_request naming the parameter.
    Result<llm::Call> (*decode_request)(const Request& request, std::string_view body);
    std::string (*encode_answer)(const llm::Answer& answer, const AnswerTerms& terms);
    std::unique_ptr<StreamEncoder> (*encode_stream)(const AnswerTerms& terms);
    // The body of an error answer.
    std::string (*encode_error)(const Error& error, std::string_view request_id);
    // What the dialect's count_tokens says; null: it has none.
    std::string (*encode_token_count)(std::int64_t tokens) = nullptr;
    // The lists of models; `created` in seconds of Unix time.
    std::string (*encode_model)(std::string_view id, std::int64_t created) = nullptr;
    std::string (*encode_models)(const std::vector<std::string_view>& ids,
                                 std::int64_t created) = nullptr;
};

// What the encoder of a request must know of where it goes.
struct Target {
    std::string_view model;              // as the provider calls it
    std::string_view provider;           // for messages to the client: never said unless exposed
    std::int64_t output_tokens_max = 0;  // the model's cap: for dialects that must name a limit
    // Top-level fields outside the dialect that this provider takes (vLLM's top_k): unknown fields
    // of these names pass.
    std::vector<std::string_view> passed_fields{};
    // OpenAI's chat: the provider knows the limit by its old name, `max_tokens`.
    bool has_old_limit_name = false;
    llm::EffortBudgets effort_budgets{};  // the operator's
};

struct EncodedRequest {
    std::string body;
    // What the target has no word for and the answer does without: names of the client's fields.
    std::vector<std::string> dropped;
};

// Embeddings in OpenAI's form, of a provider that has another.
struct Vectors {
    std::string body;  // {"object":"list","data":[…],"model":…,"usage":…}; vectors as numbers
    llm::Usage usage;
};

// The answer of a provider that is no 2xx, or an error inside one.
struct Refusal {
    int status = 0;
    std::string_view body;
    // What its headers say of when to try again; unset: nothing.
    std::optional<std::chrono::milliseconds> retry_after;
    std::string_view error_type;  // x-amzn-errortype
};

// Of an error inside a 200: the status that the provider would have used, had it not spent it.
inline constexpr int kServerError = 500;

struct ProviderEdge {
    llm::Dialect dialect;
    // Errors: invalid_request naming the client's field that this dialect cannot honour.
    Result<EncodedRequest> (*encode_request)(const llm::Call& call, const Target& target);
    // Errors: upstream_invalid_response, or what an error inside the answer means.
    Result<llm::Answer> (*decode_answer)(std::string_view body);
    // `may_omit_terminal`: the provider is known to leave out [DONE].
    std::unique_ptr<StreamDecoder> (*decode_stream)(bool may_omit_terminal);
    // What the refusal means. The provider's words reach the client only where the client's request
    // was at fault; otherwise they are private detail.
    Error (*decode_error)(const Refusal& refusal);
    // How many tokens the encoded request allows the answer, with its thoughts, where that may be
    // more than the client's own limit; null: never.
    std::int64_t (*output_tokens_max)(const llm::Call& call, const Target& target) = nullptr;
    // How large a call is, asked before it is made; null: this dialect has no such question. What
    // has no part in the count stays out of the request. Errors: as of a call and its answer.
    Result<EncodedRequest> (*encode_count)(const llm::Call& call, const Target& target) = nullptr;
    Result<std::int64_t> (*decode_count)(std::string_view body) = nullptr;
    // OpenAI's embeddings request, and the answer back into OpenAI's form; null: this dialect has
    // none of its own. `input_tokens_estimate` is told where the provider counted nothing; the
    // usage is then marked. Errors: as above; invalid_json.
    Result<EncodedRequest> (*encode_embeddings)(std::string_view body,
                                                const Target& target) = nullptr;
    Result<Vectors> (*decode_embeddings)(std::string_view body,
                                         std::string_view model,
                                         std::int64_t input_tokens_estimate) = nullptr;
};

// The same dialect on both sides: bytes pass as they came but for what must change.
struct PassEdge {
    llm::Dialect dialect;
    // Errors: upstream_invalid_response.
    Result<void> (*read_answer)(std::string_view text, json::Scratch& scratch, AnswerView& into);
    std::unique_ptr<StreamReader> (*read_stream)(const AnswerTerms& terms);
};

// nullptr where there is none: no client speaks Bedrock's Converse.
const ClientEdge* client_edge(llm::Dialect dialect);
const ProviderEdge& provider_edge(llm::Dialect dialect);
const PassEdge* pass_edge(llm::Dialect dialect);

}  // namespace weir::dialect
