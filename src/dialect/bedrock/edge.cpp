#include "dialect/bedrock/edge.h"

#include "dialect/bedrock/codec.h"

namespace weir::dialect::bedrock {

constinit const ProviderEdge provider{.dialect = llm::Dialect::bedrock,
                                      .encode_request = &encode_request,
                                      .decode_answer = &decode_answer,
                                      .decode_stream = &decode_stream,
                                      .decode_error = &decode_error,
                                      .output_tokens_max = &output_tokens_max};

}  // namespace weir::dialect::bedrock
