#include "provider/kind.h"

namespace weir::provider {

// vLLM closes idle connections after 5 s: a pool that keeps them longer meets a reset on every
// reuse.
extern constinit const ProviderKind vllm{
    .name = "vllm",
    .base_url = "",
    .key_variable = "",
    .needs_key = false,
    .idle_seconds = 4,
};

}  // namespace weir::provider
