// What the parts of the request's encoder share. Within the folder only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/model_facts.h"

namespace weir::dialect::anthropic {

// A request on its way to a provider.
struct Outgoing {
    const llm::Call& call;
    const Target& target;
    ModelFacts facts;
    EncodedRequest encoded{};
    json::Document document{};  // for JSON that is passed on after a look at it

    // The client's field has no meaning there, and the answer does without.
    void drop(std::string_view field);
    // invalid_request: without it the answer would be another one.
    Failure cannot(std::string_view field, std::string_view what) const;
};

// Fields as the client's own dialect calls them, for messages.
struct FieldWords {
    std::string_view stop, format, choices, logprobs, thinking, modalities;
    std::string_view presence_penalty, frequency_penalty, system, messages;
};
const FieldWords& words_of(llm::Dialect dialect);

// The messages as this dialect has them: one turn after the other, each with something to say.
struct Turn {
    llm::Role role;  // user, assistant; system where the model takes it in place
    std::vector<const llm::Part*> parts;
};
struct Conversation {
    std::vector<const llm::Part*> system;
    std::vector<Turn> turns;

    // A tool loop runs, and the turn that called the tools began without a thought of its own.
    bool lacks_thought() const;
};
Conversation arrange(const llm::Call& call, const ModelFacts& facts);

// `system` and `messages`.
Result<void> encode_conversation(const Conversation& conversation,
                                 Outgoing& out,
                                 json::Writer& json);
// An image or document block. `stands_in` is the message's part that it is, or is inside of.
Result<void> encode_media(const llm::Media& media,
                          const llm::CacheMark& cache,
                          const llm::Part& stands_in,
                          Outgoing& out,
                          json::Writer& json);
// Where the client said it: "messages[2].content[0]".
std::string place_of(const llm::Part& part, const llm::Call& call);
// `tools` and `tool_choice`.
Result<void> encode_tools(Outgoing& out, json::Writer& json);

// White space at the end is refused in some places, and texts of nothing else in all.
inline std::string_view without_blank_end(std::string_view text) {
    return text.substr(0, text.find_last_not_of(" \t\r\n\v\f") + 1);
}

void write_cache_mark(const llm::CacheMark& mark, json::Writer& json);

}  // namespace weir::dialect::anthropic
