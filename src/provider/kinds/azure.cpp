#include "provider/kind.h"

namespace weir::provider {
namespace {

// With an api-version, the deployment stands in the path; the v1 surface takes it as the model.
constexpr Endpoint kDeployments[] = {
    {llm::Surface::chat, "/openai/deployments/{model}/chat/completions"},
    {llm::Surface::embeddings, "/openai/deployments/{model}/embeddings"},
    {llm::Surface::completions, "/openai/deployments/{model}/completions"},
};
constexpr Endpoint kV1[] = {
    {llm::Surface::chat, "/openai/v1/chat/completions"},
    {llm::Surface::embeddings, "/openai/v1/embeddings"},
    {llm::Surface::completions, "/openai/v1/completions"},
    {llm::Surface::responses, "/openai/v1/responses"},
};

}  // namespace

// base_url: https://{resource}.openai.azure.com
extern constinit const ProviderKind azure{
    .name = "azure",
    .base_url = "",
    .key_variable = "",
    .auth = Auth::api_key,
    .endpoints = kV1,
    .versioned_endpoints = kDeployments,
    .has_old_limit_name = false,
};

}  // namespace weir::provider
