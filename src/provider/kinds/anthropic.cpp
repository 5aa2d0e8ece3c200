#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kEndpoints[] = {
    {llm::Surface::messages, "/v1/messages"},
    {.surface = llm::Surface::count_tokens,
     .path = "/v1/messages/count_tokens",
     .dialect = llm::Dialect::anthropic},
};
constexpr std::string_view kFields[] = {"anthropic-version", "anthropic-beta"};

}  // namespace

extern constinit const ProviderKind anthropic{
    .name = "anthropic",
    .base_url = "https://api.anthropic.com",
    .key_variable = "ANTHROPIC_API_KEY",
    .dialect = llm::Dialect::anthropic,
    .auth = Auth::x_api_key,
    .endpoints = kEndpoints,
    .models_path = "/v1/models",
    .version_field = "anthropic-version",
    .version = "2023-06-01",
    .dialect_fields = kFields,
};

}  // namespace weir::provider
