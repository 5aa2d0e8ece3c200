// OpenAI Chat Completions, as every SDK and most providers speak it: both edges, and the way
// through where both sides speak it. Also embeddings, which have one shape everywhere but at
// Google's.
//
// What cannot be carried to such a provider: parts only another dialect knows, video, files by URL
// (400 naming them). Dropped and reported: top_k where the provider does not take it, cache marks,
// a tool result's is_error, thinking in the history.
#pragma once

#include "dialect/edge.h"

namespace weir::dialect::openai_chat {

extern const ClientEdge client;
extern const ProviderEdge provider;
extern const PassEdge pass;

}  // namespace weir::dialect::openai_chat
