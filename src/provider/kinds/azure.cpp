#include "provider/kind.h"

namespace weir::provider {
namespace {

// With an api-version, the deployment stands in the path; the v1 surface takes it as the model.
constexpr Endpoint kDeployments[] = {
    {llm::Surface::chat, "/openai/deployments/{model}/chat/completions"},
    {llm::Surface::embeddings, "/openai/deployments/{model}/embeddings"},
    {llm::Surface::completions, "/openai/deployments/{model}/completions"},
    {llm::Surface::images,
     "/openai/deployments/{model}/images/generations",
     {},
     llm::Operation::generation},
    {llm::Surface::images, "/openai/deployments/{model}/images/edits", {}, llm::Operation::edit},
    {llm::Surface::audio, "/openai/deployments/{model}/audio/speech", {}, llm::Operation::speech},
    {llm::Surface::audio,
     "/openai/deployments/{model}/audio/transcriptions",
     {},
     llm::Operation::transcription},
    {llm::Surface::audio,
     "/openai/deployments/{model}/audio/translations",
     {},
     llm::Operation::translation},
};
constexpr Endpoint kV1[] = {
    {llm::Surface::chat, "/openai/v1/chat/completions"},
    {llm::Surface::embeddings, "/openai/v1/embeddings"},
    {llm::Surface::completions, "/openai/v1/completions"},
    {llm::Surface::responses, "/openai/v1/responses"},
    {llm::Surface::images, "/openai/v1/images/generations", {}, llm::Operation::generation},
    {llm::Surface::images, "/openai/v1/images/edits", {}, llm::Operation::edit},
    {llm::Surface::audio, "/openai/v1/audio/speech", {}, llm::Operation::speech},
    {llm::Surface::audio, "/openai/v1/audio/transcriptions", {}, llm::Operation::transcription},
    {llm::Surface::audio, "/openai/v1/audio/translations", {}, llm::Operation::translation},
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
    .models_path = "/openai/v1/models",
    .has_old_limit_name = false,
};

}  // namespace weir::provider
