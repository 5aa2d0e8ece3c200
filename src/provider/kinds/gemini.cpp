#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kEndpoints[] = {
    {llm::Surface::generate,
     "/v1beta/models/{model}:generateContent",
     "/v1beta/models/{model}:streamGenerateContent?alt=sse"},
    {llm::Surface::count_tokens, "/v1beta/models/{model}:countTokens"},
};

}  // namespace

extern constinit const ProviderKind gemini{
    .name = "gemini",
    .base_url = "https://generativelanguage.googleapis.com",
    .key_variable = "GEMINI_API_KEY",
    .dialect = llm::Dialect::gemini,
    .auth = Auth::x_goog_api_key,
    .endpoints = kEndpoints,
};

}  // namespace weir::provider
