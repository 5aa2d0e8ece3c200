#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kEndpoints[] = {{llm::Surface::responses, "/responses"}};

}  // namespace

// Any server that speaks OpenAI's Responses, and nothing else, at a base URL of the operator's
// choice.
extern constinit const ProviderKind openai_responses{
    .name = "openai_responses",
    .base_url = "",
    .key_variable = "",
    .dialect = llm::Dialect::openai_responses,
    .needs_key = false,
    .endpoints = kEndpoints,
};

}  // namespace weir::provider
