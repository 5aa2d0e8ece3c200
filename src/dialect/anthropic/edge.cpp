#include "dialect/anthropic/edge.h"

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/count_tokens.h"
#include "dialect/anthropic/models.h"

namespace weir::dialect::anthropic {

constinit const ClientEdge client{
    .dialect = llm::Dialect::anthropic,
    .read_request = read_request,
    .decode_request = decode_request,
    .encode_answer = encode_answer,
    .encode_stream = encode_stream,
    .encode_error = encode_error,
    .encode_token_count = encode_token_count,
    .encode_model = encode_model,
    .encode_models = encode_models,
};

constinit const ProviderEdge provider{
    .dialect = llm::Dialect::anthropic,
    .encode_request = encode_request,
    .decode_answer = decode_answer,
    .decode_stream = decode_stream,
    .decode_error = decode_error,
    .output_tokens_max = output_tokens_max,
    .encode_count = encode_count_request,
    .decode_count = decode_token_count,
};

constinit const PassEdge pass{
    .dialect = llm::Dialect::anthropic,
    .read_answer = read_answer,
    .read_stream = read_stream,
};

}  // namespace weir::dialect::anthropic
