#include "dialect/openai_chat/edge.h"

#include "dialect/openai_chat/codec.h"
#include "dialect/openai_chat/error.h"
#include "dialect/openai_chat/models.h"
#include "dialect/openai_chat/request.h"

namespace weir::dialect::openai_chat {

constinit const ClientEdge client{
    .dialect = llm::Dialect::openai_chat,
    .read_request = read_request,
    .decode_request = decode_request,
    .encode_answer = encode_answer,
    .encode_stream = encode_stream,
    .encode_error = [](const Error& error, std::string_view) { return encode_error(error); },
    .encode_model = encode_model,
    .encode_models = encode_models,
};

constinit const ProviderEdge provider{
    .dialect = llm::Dialect::openai_chat,
    .encode_request = encode_request,
    .decode_answer = decode_answer,
    .decode_stream = decode_stream,
    .decode_error = decode_error,
};

constinit const PassEdge pass{
    .dialect = llm::Dialect::openai_chat,
    .read_answer = read_answer,
    .read_stream = read_stream,
};

}  // namespace weir::dialect::openai_chat
