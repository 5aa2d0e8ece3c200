// Google's Gemini as spoken by its AI Studio and by Vertex: generateContent, streamGenerateContent
// and countTokens. The model and whether the answer is a stream stand in the path, not in the body.
#pragma once

#include "dialect/edge.h"

namespace weir::dialect::gemini {

extern const ClientEdge client;
extern const ProviderEdge provider;
extern const PassEdge pass;

}  // namespace weir::dialect::gemini
