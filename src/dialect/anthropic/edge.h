// Anthropic Messages: both edges, and the way through where both sides speak it.
//
// What a call of another dialect's client comes to at such a provider, field by field (API-MAPPING
// section 3; models differ: model_facts.h):
//
//   limit            max_tokens: the client's, else the model's own; clamped to the model's cap
//   temperature      clamped to 0..1; dropped for models that reject it, while thinking, and
//   top_p, top_k     (top_p) beside temperature
//   thinking         a budget, which raises max_tokens, or `adaptive` with an effort; dropped where
//                    a tool is forced, where the model does not think, or where the thoughts of a
//                    tool loop that still runs are missing from the history
//   stop             stop_sequences, but for those that are white space only (dropped)
//   tools            every field; `strict` is dropped where the model does not know it
//   one call a time  tool_choice.disable_parallel_tool_use
//   json_schema      output_config.format; for models before it a tool that must be called and
//                    comes back as text (answer_tool.h), without thinking; refused (400) where
//                    the client wants tools and thinking beside it
//   json_object, n above 1, logprobs, audio, video, pictures to be made, foreign parts and tools,
//                    files kept by another provider: refused (400), naming the client's field
//   seed, penalties, verbosity, user, metadata, other service tiers: dropped and reported
//
// Roles: leading system messages become `system`; a later one stands in place where the model takes
// it, else it is part of the user's turn. Neighbours of one role are one turn, results first.
// Thoughts go back only to where they came from: those that Anthropic did not sign stay out.
#pragma once

#include "dialect/edge.h"

namespace weir::dialect::anthropic {

extern const ClientEdge client;
extern const ProviderEdge provider;
extern const PassEdge pass;

}  // namespace weir::dialect::anthropic
