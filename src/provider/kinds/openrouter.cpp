#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kOwn[] = {
    {llm::Surface::images, "/images", {}, llm::Operation::generation},
};
constexpr auto kEndpoints =
    joined(kCompatibleEndpoints, kOwn, kSpeechEndpoints, kTranscriptionEndpoints, kRerankEndpoints);

constexpr std::string_view kFields[] = {"top_k",
                                        "min_p",
                                        "top_a",
                                        "repetition_penalty",
                                        "provider",
                                        "models",
                                        "route",
                                        "transforms",
                                        "plugins",
                                        "cache_control",
                                        "prediction",
                                        "logit_bias"};

}  // namespace

extern constinit const ProviderKind openrouter{
    .name = "openrouter",
    .base_url = "https://openrouter.ai/api/v1",
    .key_variable = "OPENROUTER_API_KEY",
    .endpoints = kEndpoints,
    .passed_fields = kFields,
};

}  // namespace weir::provider
