#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr auto kEndpoints =
    joined(kCompatibleEndpoints, kSpeechEndpoints, kTranscriptionEndpoints, kTranslationEndpoints);

}  // namespace

extern constinit const ProviderKind groq{
    .name = "groq",
    .base_url = "https://api.groq.com/openai/v1",
    .key_variable = "GROQ_API_KEY",
    .endpoints = kEndpoints,
    .has_old_limit_name = false,
};

}  // namespace weir::provider
