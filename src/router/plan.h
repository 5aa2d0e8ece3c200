// The order in which the targets of a model are tried for one call: rules choose the group, groups
// are put in order from the inside out, fallbacks follow. A pure function of what it is given, on
// one thread; no memory is taken from the heap.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/random.h"
#include "router/catalog.h"
#include "router/function_ref.h"
#include "router/inline_vector.h"
#include "router/prefix_table.h"
#include "router/strategies/conditional.h"
#include "router/strategy.h"

namespace weir::router {

// What is known of a call.
struct Facts {
    strategies::Traits traits;        // what rules are about
    std::uint64_t sticky = 0;         // of what Model::sticky names; 0: the call has nothing such
    std::uint32_t output_tokens = 0;  // that the answer may have
    std::optional<std::size_t> provider = {};  // pinned to it: no other is tried
    // In the place of the model's own, set while Weir runs; rules and fallbacks keep theirs.
    std::optional<Strategy> strategy = {};
    std::span<const std::uint64_t> prefix = {};  // of the prompt, where Model::asks_prefix
    const PrefixTable* prefixes = nullptr;       // null: nobody remembers
    Random& random;
};

using Plan = InlineVector<const Target*, kCandidatesMax>;
using LoadOf = FunctionRef<Load(const Target&)>;

// Fills `out` anew, with pointers into the catalog. Disabled and drained targets are never in it,
// those that are full or not available come last within their group. Of fallbacks only what is not
// in it yet, wherever it stands. Empty: nothing is left that this call may go to.
void plan(const Resolved& resolved,
          const Catalog& catalog,
          const Facts& facts,
          LoadOf load_of,
          Plan& out);

// The same of the model's context fallback; empty where it has none.
void plan_context_fallback(const Resolved& resolved,
                           const Catalog& catalog,
                           const Facts& facts,
                           LoadOf load_of,
                           Plan& out);

}  // namespace weir::router
