#include "provider/kind.h"

namespace weir::provider {

// Any server that speaks OpenAI's chat API at a base URL of the operator's choice. A key is sent if
// given.
extern constinit const ProviderKind openai_compatible{
    .name = "openai_compatible",
    .base_url = "",
    .key_variable = "",
    .needs_key = false,
};

}  // namespace weir::provider
