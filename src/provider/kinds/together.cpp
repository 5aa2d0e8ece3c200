#include "provider/kind.h"

namespace weir::provider {

extern constinit const ProviderKind together{
    .name = "together",
    .base_url = "https://api.together.xyz/v1",
    .key_variable = "TOGETHER_API_KEY",
};

}  // namespace weir::provider
