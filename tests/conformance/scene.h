// Shortcuts for the named tests: a pair in a case, answers and streams as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exchange.h"
#include "json.h"

namespace weir::conformance {

using Json = nlohmann::ordered_json;

// A case file; aborts where it cannot be read.
const CaseFile& case_of(std::string_view feature);

// The section of that kind and name; aborts where there is none.
const Section& section_of(const CaseFile& file,
                          std::string_view kind,
                          llm::Dialect dialect,
                          std::string_view name = {});

// What that client gets from that provider in the case of that feature.
Json answer_in(std::string_view feature, Pair pair, std::string_view name = {});
Streamed stream_in(std::string_view feature, Pair pair, std::string_view name = {});

// The data of a stream's events; without [DONE].
std::vector<Json> events_of(std::string_view stream);

// The request that goes to the provider's `model` when a client sends `body`; its error where it is
// refused.
Result<Json> upstream(Pair pair, const Json& body, std::string_view model);

// All pairs with that client, with that provider, or all; translated ones only.
std::vector<Pair> pairs_from(llm::Dialect client);
std::vector<Pair> pairs_to(llm::Dialect provider);
std::vector<Pair> all_pairs();
std::string name_of(Pair pair);

}  // namespace weir::conformance
