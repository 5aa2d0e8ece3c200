// How large a call would be: asked before a call is made, by agents that must fit a window. The
// provider's own counter is asked, in its dialect; where it has none, it is counted here. Nothing
// is billed.
#include "pipeline/pipeline.h"
#include "tokens/call.h"

namespace weir::pipeline {

namespace {

// Shorter bodies take less time to count than to hand over.
constexpr std::size_t kCountHereBytesMax = 4u << 10;
constexpr std::chrono::seconds kCountMax{30};

// Many servers speak a provider's dialect and have only a part of its paths.
bool lacks_counter(int status) { return status == 404 || status == 405 || status == 501; }

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
    if (call.opened) {
        call.status = 200;
        call.usage = llm::Usage{};
        settle(call);
    }
    const std::string answer = call.client.encode_token_count(tokens);
    const std::string_view pieces[] = {answer};
    co_return co_await send_whole(call, 200, "application/json", pieces);
}

aio::Task<Result<void>> Pipeline::ask_for_count(Call& call, std::string_view body) {
    auto outcome = co_await make_attempts(call, body);
    if (outcome || !lacks_counter(call.attempt.status)) {
        co_return outcome;
    }
    co_return co_await count_tokens(call, body);
}

Result<void> Pipeline::translate_count(Call& call,
                                       std::string_view body,
                                       dialect::json::Splice& splice) {
    WEIR_TRY(const std::int64_t tokens, provider_edge(call).decode_count(body));
    call.usage = llm::Usage{};  // nothing was said, nothing is owed
    splice.replace({0, body.size()}, call.client.encode_token_count(tokens));
    return {};
}

}  // namespace weir::pipeline
