// Signatures on their way through a client whose dialect has no place for them. A provider that
// thinks (Anthropic, Gemini, the Responses) wants its own signature back with the next turn, or
// refuses it; a client of another dialect only keeps the fields it knows. So a foreign signature
// travels in a field that every client returns: the id of a tool call, or the dialect's own
// signature field, marked with the dialect it belongs to. Stateless: any replica can read it back.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "llm/content.h"

namespace weir::dialect {

// "call_1" and a signature of Gemini's: "call_1-weir-sig-g-<base64url>", made of letters, digits,
// '-' and '_' only. The id alone where there is nothing to carry.
std::string carry_in_id(std::string_view id, const llm::Signature& signature);

struct CarriedId {
    std::string_view id;  // into what was read
    llm::Signature signature;
};
CarriedId read_carried_id(std::string_view id);

// For a signature field of dialect `field_of`: its own signatures as they are, others marked
// (base64, as Gemini's field must be).
std::string carry_in_field(const llm::Signature& signature, llm::Dialect field_of);
llm::Signature read_carried_field(std::string_view field, llm::Dialect field_of);

}  // namespace weir::dialect
