// Signatures on their way through a client whose dialect has no place for them. A provider that
// thinks (Anthropic, Gemini, the Responses) wants its own signature back with the next turn, or
// refuses it; a client of another dialect only keeps the fields it knows. So a foreign signature
// travels in a field that every client returns: the id of a tool call, or the dialect's own
// signature field, marked with the dialect it belongs to. Stateless: any replica can read it back.
//
// A conversation may go on at a provider of its client's own dialect, where it would pass as it is:
// then what was carried must come out of it first, for no provider takes a foreign signature.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "llm/call.h"
#include "llm/content.h"

namespace weir::dialect {

// "call_1" and a signature of Gemini's: "call_1-weir-sig-g-<base64url>", made of letters, digits,
// '-' and '_' only. The id alone where there is nothing to carry.
std::string carry_in_id(std::string_view id, const llm::Signature& signature);

struct CarriedId {
    std::string_view id;  // into what was read
    llm::Signature signature;
};
// The id as it is, without a signature, where it holds none: also where a client made one up of
// bytes that are no UTF-8, which no text of a request may hold.
CarriedId read_carried_id(std::string_view id);

// For a signature field of dialect `field_of`: its own signatures as they are, others marked
// (base64, as Gemini's field must be). An empty one of another dialect becomes a mark alone: the
// thought has no signature, and is foreign all the same.
std::string carry_in_field(const llm::Signature& signature, llm::Dialect field_of);
// Of what bears no mark the signature is `field_of`'s own, also where it is empty.
llm::Signature read_carried_field(std::string_view field, llm::Dialect field_of);

// The JSON of a request holds a mark, or words that look like one: a search over the bytes, so that
// a body without is not taken apart.
bool may_carry(std::string_view body);
// The call of a client of dialect `own` holds what a provider of that dialect refuses because it is
// another's: a signature, a thought without one, the id of a tool call with one in it.
bool carries_foreign(const llm::Call& call, llm::Dialect own);

}  // namespace weir::dialect
