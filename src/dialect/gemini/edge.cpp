#include "dialect/gemini/edge.h"

#include "dialect/gemini/codec.h"
#include "dialect/gemini/count_tokens.h"
#include "dialect/gemini/embeddings.h"
#include "dialect/gemini/models.h"

namespace weir::dialect::gemini {

constinit const ClientEdge client{
    .dialect = llm::Dialect::gemini,
    .read_request = read_request,
    .decode_request = decode_request,
    .encode_answer = encode_answer,
    .encode_stream = encode_stream,
    .encode_error = encode_error,
    .encode_token_count = encode_count,
    .encode_model = [](std::string_view id,
                       std::int64_t) { return encode_model(ModelEntry{.id = id}); },
    .encode_models =
        [](const std::vector<std::string_view>& ids, std::int64_t) {
            std::vector<ModelEntry> models;
            for (const std::string_view id : ids) {
                models.push_back({.id = id});
            }
            return encode_models(models);
        },
};

constinit const ProviderEdge provider{
    .dialect = llm::Dialect::gemini,
    .encode_request = encode_request,
    .decode_answer = decode_answer,
    .decode_stream = decode_stream,
    .decode_error = decode_error,
    .encode_count = encode_count_request,
    .decode_count = decode_count,
    .encode_embeddings = encode_embeddings,
    .decode_embeddings = decode_embeddings,
};

constinit const PassEdge pass{
    .dialect = llm::Dialect::gemini,
    .read_answer = read_answer,
    .read_stream = read_stream,
};

}  // namespace weir::dialect::gemini
