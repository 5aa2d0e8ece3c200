#include "provider/kind.h"

namespace weir::provider {
namespace {

// No variations; edits take JSON only, and say so.
constexpr Endpoint kOwn[] = {
    {llm::Surface::images, "/images/generations", {}, llm::Operation::generation},
    {llm::Surface::images, "/images/edits", {}, llm::Operation::edit},
};
constexpr auto kEndpoints =
    joined(kCompatibleEndpoints, kResponsesEndpoints, kOwn, kSpeechEndpoints);

}  // namespace

extern constinit const ProviderKind xai{
    .name = "xai",
    .base_url = "https://api.x.ai/v1",
    .key_variable = "XAI_API_KEY",
    .endpoints = kEndpoints,
    .has_old_limit_name = false,
};

}  // namespace weir::provider
