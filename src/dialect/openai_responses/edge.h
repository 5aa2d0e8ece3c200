// OpenAI Responses (`/v1/responses`), as OpenAI, Azure, xAI, DeepSeek and OpenRouter speak it: both
// edges, and the way through where both sides speak it.
//
// What cannot be carried to such a provider (400 naming the field): n > 1, stop sequences, answers
// other than text, audio and video, logprobs of a stream, parts, tools and files that only another
// dialect's provider knows. Dropped and reported: seed, penalties, top_k, user, cache marks, a tool
// result's is_error, a document's context and wish for citations, sampling for models that think.
// A limit below 16 tokens becomes 16, the least that OpenAI takes. Nothing of a translated call is
// kept by the provider (`store: false`), so thinking goes back as it came, sealed; without a seal
// of this dialect it is left out.
//
// What cannot be carried to a provider of another dialect: previous_response_id, conversation,
// prompt, built-in tools and what they said.
#pragma once

#include "dialect/edge.h"

namespace weir::dialect::openai_responses {

extern const ClientEdge client;
extern const ProviderEdge provider;
extern const PassEdge pass;

}  // namespace weir::dialect::openai_responses
