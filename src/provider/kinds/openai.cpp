#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr auto kEndpoints = joined(kCompatibleEndpoints,
                                   kResponsesEndpoints,
                                   kInputTokensEndpoints,
                                   kModerationEndpoints,
                                   kImageEndpoints,
                                   kSpeechEndpoints,
                                   kTranscriptionEndpoints,
                                   kTranslationEndpoints);

}  // namespace

extern constinit const ProviderKind openai{
    .name = "openai",
    .base_url = "https://api.openai.com/v1",
    .key_variable = "OPENAI_API_KEY",
    .endpoints = kEndpoints,
    .has_old_limit_name = false,
};

}  // namespace weir::provider
