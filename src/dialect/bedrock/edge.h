// AWS Bedrock's Converse and ConverseStream, as a provider: no client speaks it. Pure.
//
// The request's path (`/model/{id}/converse[-stream]`) names the model and whether to stream; the
// body does not. The host, the path and the signature are the provider kind's business.
#pragma once

#include "dialect/edge.h"

namespace weir::dialect::bedrock {

extern const ProviderEdge provider;

}  // namespace weir::dialect::bedrock
