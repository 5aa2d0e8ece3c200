// What Weir must know of a request before it knows where the request goes: read in one pass over
// the body, with the places of the few bytes that change when the provider speaks the client's
// dialect. Unknown fields are neither read nor touched. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/json/scanner.h"
#include "dialect/json/splice.h"
#include "llm/names.h"

namespace weir::dialect {

// Names in one request. Each is looked up before a provider is asked: none may slip through unseen.
inline constexpr std::size_t kProviderIdsMax = 256;

// Something that a provider keeps: it belongs to whom it was made for.
struct ProviderId {
    std::string id;
    std::string_view parameter;  // that names it; of static storage
    // A file, a container, what was cached: the account may have such aside from Weir, and share
    // them. Else a response, an item, a conversation.
    bool is_file = false;
    bool operator==(const ProviderId&) const = default;
};

struct Request {
    llm::Surface surface = llm::Surface::chat;
    std::string model;              // empty: none was named
    json::Span model_span;          // in the body, with quotes
    bool model_in_body = true;      // where the dialect says it (Gemini: in the path)
    bool model_is_foreign = false;  // `model` is not what the body says
    bool stream = false;
    bool include_usage = false;  // OpenAI's chat: the client wants the usage chunk
    std::optional<std::int64_t> max_output_tokens;
    std::int64_t choices = 1;
    std::string service_tier;  // asked for, in the dialect's word
    // An earlier answer comes back, a tool call with its result or a signed thought: only such a
    // conversation can carry another dialect's signatures (carrier.h).
    bool has_history = false;
    // What calls of one conversation or one user have in common, as the body says it, with quotes.
    json::Span cache_key, user;
    // Ids that a provider made and the client sends back: they lead to that provider. Each once;
    // one more than kProviderIdsMax where there are more.
    std::vector<ProviderId> provider_ids;
    void keep_id(std::string id, std::string_view parameter, bool is_file = true);

    // Where a stream must be asked for its usage: replaces `usage_span` (size 0: goes in there).
    json::Span usage_span;
    std::string_view usage_words;  // of static storage; empty: nothing to ask
    std::size_t body_begin = 0;    // behind the opening brace
    bool body_is_empty = true;

    // Not empty: the body is a form, and `model_span` the bare value of a field in it.
    std::string form_boundary;
    bool wants_base64 = false;          // embeddings: vectors as base64 of their floats
    std::int64_t input_characters = 0;  // audio: to be spoken
};

// What the path of a request says, for dialects whose bodies do not.
struct RequestPath {
    llm::Surface surface = llm::Surface::chat;
    std::string_view model;  // percent-decoded; empty: the body says it
    bool stream = false;
};

// Names the provider's model and asks for usage; nothing else changes.
void rewrite(const Request& request, std::string_view upstream_model, json::Splice& body);

}  // namespace weir::dialect
