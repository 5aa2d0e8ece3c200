// A case of the matrix: one request as each client dialect writes it, and answers as each provider
// dialect sends them. Text, in sections:
//
//   What the case is about, in words.
//   === target gemini model=gemini-3-pro-preview      the provider's model, where the usual one
//                                                     does not do
//   === request openai_chat                           the body of a whole call; a streamed one is
//                                                     made from it
//   === answer anthropic name=filtered                the body of a 200
//   === stream gemini                                 the body of a stream; Gemini's lines are
//                                                     sent with CRLF, as Google does
//   === error gemini status=429 retry_after_ms=2000   another status, and what its headers say
//
// A body is all lines until the next section. Names tell sections of one kind apart.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/names.h"

namespace weir::conformance {

struct Section {
    std::string kind;
    llm::Dialect dialect = llm::Dialect::openai_chat;
    std::map<std::string, std::string, std::less<>> options;
    std::string body;

    // Empty where it is not said.
    std::string_view option(std::string_view name) const;
    // "answer", "answer (filtered)"
    std::string title() const;
};

struct CaseFile {
    std::string name;  // of the file, without its ending
    std::vector<Section> sections;

    // Null: there is none.
    const Section* find(std::string_view kind, llm::Dialect dialect) const;
    std::vector<const Section*> all(std::string_view kind, llm::Dialect dialect) const;
};

// Errors: invalid_config naming file and line.
Result<CaseFile> read_case(const std::string& path);

// Those that clients speak, in the order of API-MAPPING.
inline constexpr llm::Dialect kDialects[] = {llm::Dialect::openai_chat,
                                             llm::Dialect::openai_responses,
                                             llm::Dialect::anthropic,
                                             llm::Dialect::gemini};

}  // namespace weir::conformance
