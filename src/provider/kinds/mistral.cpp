#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr auto kEndpoints =
    joined(kCompatibleEndpoints, kModerationEndpoints, kTranscriptionEndpoints);

}  // namespace

extern constinit const ProviderKind mistral{
    .name = "mistral",
    .base_url = "https://api.mistral.ai/v1",
    .key_variable = "MISTRAL_API_KEY",
    .endpoints = kEndpoints,
};

}  // namespace weir::provider
