#include "dialect/gemini/edge.h"

#include "dialect/gemini/codec.h"

namespace weir::dialect::gemini {

constinit const ClientEdge client{
    .dialect = llm::Dialect::gemini,
    .read_request = read_request,
    .decode_request = decode_request,
    .encode_answer = encode_answer,
    .encode_stream = encode_stream,
    .encode_error = encode_error,
};

constinit const ProviderEdge provider{
    .dialect = llm::Dialect::gemini,
    .encode_request = encode_request,
    .decode_answer = decode_answer,
    .decode_stream = decode_stream,
    .decode_error = decode_error,
};

constinit const PassEdge pass{
    .dialect = llm::Dialect::gemini,
    .read_answer = read_answer,
    .read_stream = read_stream,
};

}  // namespace weir::dialect::gemini
