#include "dialect/openai_responses/edge.h"

#include "dialect/openai_chat/error.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {

constinit const ClientEdge client{
    .dialect = llm::Dialect::openai_responses,
    .read_request = read_request,
    .decode_request = decode_request,
    .encode_answer = encode_answer,
    .encode_stream = encode_stream,
    // OpenAI's error body is one and the same on both surfaces.
    .encode_error = [](const Error& error,
                       std::string_view) { return openai_chat::encode_error(error); },
    .encode_token_count = encode_token_count,
};

constinit const ProviderEdge provider{
    .dialect = llm::Dialect::openai_responses,
    .encode_request = encode_request,
    .decode_answer = decode_answer,
    .decode_stream = decode_stream,
    .decode_error = decode_error,
    .encode_count = encode_count_request,
    .decode_count = decode_token_count,
};

constinit const PassEdge pass{
    .dialect = llm::Dialect::openai_responses,
    .read_answer = read_answer,
    .read_stream = read_stream,
};

}  // namespace weir::dialect::openai_responses
