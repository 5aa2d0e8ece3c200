#include "provider/kind.h"

namespace weir::provider {

extern constinit const ProviderKind deepseek{
    .name = "deepseek",
    .base_url = "https://api.deepseek.com/v1",
    .key_variable = "DEEPSEEK_API_KEY",
};

}  // namespace weir::provider
