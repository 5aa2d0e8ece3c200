// Faults on purpose (`chaos:` in the configuration): they stand in the place of what the provider
// would have done, so that all that follows is what follows a real fault.
#include <fmt/format.h>

#include "aio/reactor.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {

// Which of the configured faults this attempt gets; none unless chaos is enabled.
void Pipeline::tempt_fate(Call& call) {
    const resilience::ChaosSection& chaos = call.runtime().chaos;
    call.attempt.fault.reset();
    if (!chaos.enabled) {
        return;
    }
    const net::RequestHead& head = call.http.head();
    auto fault = resilience::decide(
        chaos.rules,
        {.model = call.asked_model,
         .provider = call.provider->name(),
         .key_name = {},
         .key_prefix = call.who->key().prefix,
         .header = [&head](std::string_view name) -> std::optional<std::string_view> {
             const std::string_view value = head.find(name);
             return value.empty() ? std::nullopt : std::optional(value);
         }},
        random_.next(),
        services_.clock.wall_now());
    if (fault) {
        call.chaos_name = fault->name;
        call.generation->meters.count_chaos(fault->name);
        call.attempt.fault = std::make_unique<const resilience::Fault>(std::move(*fault));
    }
}

// What happens in the place of asking the provider, or before it. Errors: what the fault means.
aio::Task<Result<void>> Pipeline::suffer(Call& call, aio::Deadline first) {
    const resilience::Fault& fault = *call.attempt.fault;
    if (fault.latency.count() > 0 &&
        co_await aio::sleep(aio::Deadline::in(fault.latency).at_most(first)) ==
            aio::Wake::cancelled) {
        co_return fail(Code::cancelled, "The client left.");
    }
    const std::string detail = fmt::format("chaos: {}", fault.name);
    if (fault.stall) {
        if (co_await aio::sleep(first) == aio::Wake::cancelled) {
            co_return fail(Code::cancelled, "The client left.");
        }
        co_return fail(Code::upstream_timeout,
                       "The model provider did not answer in time; try again.")
            .detail(detail);
    }
    if (fault.reset) {
        co_return fail(Code::upstream_unavailable,
                       "The model provider cannot be reached; try again shortly.")
            .detail(detail);
    }
    if (fault.status != 0) {
        call.attempt.status = fault.status;
        co_return fail(provider_edge(call).decode_error(
                           {.status = fault.status, .body = R"({"error":{"message":"chaos"}})"}))
            .detail(detail);
    }
    co_return Result<void>{};
}

// Of a stream's piece `chunk` (from 1): what the fault makes of it. Errors: it breaks off here.
Result<void> Pipeline::distort(const resilience::Fault& fault,
                               std::uint32_t chunk,
                               std::string_view& bytes,
                               std::string& scratch) {
    if (fault.cut_after && chunk > *fault.cut_after) {
        return fail(Code::upstream_invalid_response,
                    "The model provider gave an answer that cannot be used; try again.")
            .detail(fmt::format("chaos: {}", fault.name));
    }
    if (fault.corrupt && !bytes.empty()) {
        scratch.assign(bytes);
        for (std::size_t i = scratch.size() / 2; i < scratch.size(); i += 64) {
            scratch[i] = static_cast<char>(scratch[i] ^ 0x5a);
        }
        bytes = scratch;
    }
    return {};
}

// A stream's next bytes as the attempt's fault would have them; they may lie in `scratch` then.
aio::Task<Result<std::string_view>> Pipeline::spoil(Attempt& attempt,
                                                    std::string_view bytes,
                                                    std::string& scratch) {
    const resilience::Fault& fault = *attempt.fault;
    WEIR_CO_TRY(distort(fault, ++attempt.chunks, bytes, scratch));
    if (fault.chunk_delay.count() > 0) {
        std::string late(bytes);  // which may lie in the thread's scratch, or in ours
        co_await aio::sleep(aio::Deadline::in(fault.chunk_delay));
        scratch = std::move(late);
        bytes = scratch;
    }
    co_return bytes;
}

}  // namespace weir::pipeline
