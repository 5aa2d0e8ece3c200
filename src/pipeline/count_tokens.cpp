// How large a call would be, where the provider does not count: asked before a call is made, by
// agents that must fit a window. Nothing is sent, nothing is billed.
#include "pipeline/pipeline.h"
#include "tokens/call.h"

namespace weir::pipeline {

namespace {

// Shorter bodies take less time to count than to hand over.
constexpr std::size_t kCountHereBytesMax = 4u << 10;
constexpr std::chrono::seconds kCountMax{30};

}  // namespace

aio::Task<Result<void>> Pipeline::count_tokens(Call& call, std::string_view body) {
    WEIR_CO_TRY(auto asked, call.client.decode_request(*call.request, body));
    std::int64_t tokens = 0;
    if (body.size() <= kCountHereBytesMax) {
        tokens = tokens::count(asked, call.choice.upstream_model);
    } else {
        WEIR_CO_TRY(
            tokens,
            co_await services_.pool.run(
                [asked = std::move(asked), model = std::string(call.choice.upstream_model)] {
                    return tokens::count(asked, model);
                },
                aio::Deadline::in(kCountMax)));
    }
    const std::string answer = call.client.encode_token_count(tokens);
    const std::string_view pieces[] = {answer};
    co_return co_await send_whole(call, 200, "application/json", pieces);
}

}  // namespace weir::pipeline
