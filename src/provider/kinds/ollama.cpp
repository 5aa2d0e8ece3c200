#include "provider/kind.h"

namespace weir::provider {

extern constinit const ProviderKind ollama{
    .name = "ollama",
    .base_url = "http://127.0.0.1:11434/v1",
    .key_variable = "",
    .needs_key = false,
};

}  // namespace weir::provider
