#include "provider/kind.h"

namespace weir::provider {

extern constinit const ProviderKind xai{
    .name = "xai",
    .base_url = "https://api.x.ai/v1",
    .key_variable = "XAI_API_KEY",
    .endpoints = kOpenAiEndpoints,
    .has_old_limit_name = false,
};

}  // namespace weir::provider
