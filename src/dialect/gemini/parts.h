// The parts of Gemini's messages, as they are written in requests, answers and streams. Pure.
#pragma once

#include <string>
#include <string_view>

#include "dialect/json/document.h"
#include "dialect/json/writer.h"
#include "llm/answer.h"
#include "llm/content.h"

namespace weir::dialect::gemini {

// {"text":…}, with "thought" where it is one, and the signature unless it is empty.
void write_text(std::string_view text,
                bool is_thought,
                std::string_view signature,
                json::Writer& json);
// {"functionCall":{…}}; `arguments` is a JSON object, or empty.
void write_call(std::string_view id,
                std::string_view name,
                std::string_view arguments,
                std::string_view signature,
                json::Writer& json);
// {"inlineData":{…}}
void write_data(std::string_view mime, std::string_view base64, json::Writer& json);

// The text of a JSON object, which arguments of calls must be; empty counts as one.
bool is_object(std::string_view text, json::Document& document);

// A signature in the field thoughtSignature of a client: Gemini's own as it is, those of others
// marked, and what is sealed (`redacted`: there is no text) told apart from the rest.
std::string carry(const llm::Signature& signature, bool redacted);
struct Carried {
    llm::Signature signature;
    bool redacted = false;
};
Carried read_carried(std::string field);

// What an answer leans on, as groundingMetadata. `text` converts places into bytes; where it is
// empty, they are left out. Nothing is written where there are no sources.
class Grounding {
public:
    void add(const llm::Citation& citation, std::string_view text);
    void write(json::Writer& json) const;

private:
    struct Support {
        std::size_t source;
        std::string cited_text;
        std::optional<std::int64_t> start, end;  // bytes
    };
    struct Source {
        std::string url, title;
    };
    std::vector<Source> sources_;
    std::vector<Support> supports_;
};

}  // namespace weir::dialect::gemini
