#include "provider/kind.h"

namespace weir::provider {
namespace {

constexpr Endpoint kEndpoints[] = {
    {llm::Surface::converse, "/model/{model}/converse", "/model/{model}/converse-stream"}};
constexpr std::string_view kFields[] = {
    "guardrailConfig", "performanceConfig", "promptVariables", "requestMetadata"};

}  // namespace

// AWS Bedrock through Converse, whichever model: signed with an access key, or with a bearer key.
extern constinit const ProviderKind bedrock{
    .name = "bedrock",
    .base_url = "https://bedrock-runtime.{region}.amazonaws.com",
    .key_variable = "",
    .dialect = llm::Dialect::bedrock,
    .auth = Auth::aws,
    .endpoints = kEndpoints,
    .models_path = "",
    .aws_service = "bedrock",
    .passed_fields = kFields,
};

}  // namespace weir::provider
