#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr auto kEndpoints =
    joined(kCompatibleEndpoints, kTranscriptionEndpoints, kTranslationEndpoints, kRerankEndpoints);

// API-MAPPING section 1: what vLLM takes beyond OpenAI's fields.
constexpr std::string_view kFields[] = {"top_k",
                                        "min_p",
                                        "repetition_penalty",
                                        "length_penalty",
                                        "chat_template_kwargs",
                                        "stop_token_ids",
                                        "ignore_eos",
                                        "min_tokens",
                                        "guided_json",
                                        "guided_regex",
                                        "guided_choice",
                                        "guided_grammar",
                                        "structured_outputs",
                                        "priority",
                                        "skip_special_tokens",
                                        "include_stop_str_in_output",
                                        "bad_words",
                                        "logit_bias"};

}  // namespace

// vLLM closes idle connections after 5 s: a pool that keeps them longer meets a reset on every
// reuse.
extern constinit const ProviderKind vllm{
    .name = "vllm",
    .base_url = "",
    .key_variable = "",
    .needs_key = false,
    .endpoints = kEndpoints,
    .idle_seconds = 4,
    .passed_fields = kFields,
};

}  // namespace weir::provider
