#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kGeneration[] = {
    {llm::Surface::images, "/images/generations", {}, llm::Operation::generation},
};
constexpr auto kEndpoints = joined(kCompatibleEndpoints,
                                   kGeneration,
                                   kSpeechEndpoints,
                                   kTranscriptionEndpoints,
                                   kTranslationEndpoints,
                                   kRerankEndpoints);

}  // namespace

extern constinit const ProviderKind together{
    .name = "together",
    .base_url = "https://api.together.xyz/v1",
    .key_variable = "TOGETHER_API_KEY",
    .endpoints = kEndpoints,
};

}  // namespace weir::provider
