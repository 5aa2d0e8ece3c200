#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr auto kEndpoints = joined(kCompatibleEndpoints,
                                   kModerationEndpoints,
                                   kImageEndpoints,
                                   kSpeechEndpoints,
                                   kTranscriptionEndpoints,
                                   kTranslationEndpoints,
                                   kRerankEndpoints);

}  // namespace

// Any server that speaks OpenAI's chat API at a base URL of the operator's choice. A key is sent if
// given.
extern constinit const ProviderKind openai_compatible{
    .name = "openai_compatible",
    .base_url = "",
    .key_variable = "",
    .needs_key = false,
    .endpoints = kEndpoints,
};

}  // namespace weir::provider
