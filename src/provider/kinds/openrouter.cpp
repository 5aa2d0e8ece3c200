#include "provider/kind.h"

namespace weir::provider {

extern constinit const ProviderKind openrouter{
    .name = "openrouter",
    .base_url = "https://openrouter.ai/api/v1",
    .key_variable = "OPENROUTER_API_KEY",
};

}  // namespace weir::provider
