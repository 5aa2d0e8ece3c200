#include "provider/kind.h"

namespace weir::provider {

extern constinit const ProviderKind mistral{
    .name = "mistral",
    .base_url = "https://api.mistral.ai/v1",
    .key_variable = "MISTRAL_API_KEY",
};

}  // namespace weir::provider
