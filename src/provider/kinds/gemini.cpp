#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kEndpoints[] = {
    {llm::Surface::generate,
     "/v1beta/models/{model}:generateContent",
     "/v1beta/models/{model}:streamGenerateContent?alt=sse"},
    {.surface = llm::Surface::count_tokens,
     .path = "/v1beta/models/{model}:countTokens",
     .dialect = llm::Dialect::gemini},
    {.surface = llm::Surface::embeddings,
     .path = "/v1beta/models/{model}:batchEmbedContents",
     .dialect = llm::Dialect::gemini},
};

}  // namespace

extern constinit const ProviderKind gemini{
    .name = "gemini",
    .base_url = "https://generativelanguage.googleapis.com",
    .key_variable = "GEMINI_API_KEY",
    .dialect = llm::Dialect::gemini,
    .auth = Auth::x_goog_api_key,
    .endpoints = kEndpoints,
    .models_path = "/v1beta/models",
};

}  // namespace weir::provider
