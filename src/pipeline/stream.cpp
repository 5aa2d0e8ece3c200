// Step 9 for streams: the provider's bytes through a relay to the client, until one of them ends.
#include "net/http_body.h"
#include "net/http_encode.h"
#include "pipeline/keepalive.h"
#include "pipeline/pass_relay.h"
#include "pipeline/pipeline.h"
#include "pipeline/translating_relay.h"

namespace weir::pipeline {

namespace {

// A provider that has sent its terminal event ends its answer at once; waiting longer for that
// would only keep the client's next request waiting.
constexpr std::chrono::milliseconds kStreamTailMax{50};
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr std::string_view kStreamFields =
    "cache-control: no-cache\r\n"
    "x-accel-buffering: no\r\n"  // a proxy in front must not collect what comes in pieces
    "transfer-encoding: chunked\r\n\r\n";

}  // namespace

void Pipeline::begin_stream_head(Call& call) {
    begin_head(call, 200);
    net::append_field(
        head_, "content-type", call.door.as_json_array ? "application/json" : "text/event-stream");
    head_ += kStreamFields;
}

// A chunk of the answer, behind the head where that was not sent yet. false: the client left.
aio::Maybe<net::Io> Pipeline::send_chunk(Call& call, std::string_view payload, bool is_last) {
    head_.clear();
    if (!call.http.was_begun()) {
        begin_stream_head(call);
    }
    return write_chunk(call.http, payload, is_last);
}

// Behind what head_ holds.
aio::Maybe<net::Io> Pipeline::write_chunk(net::ServerCall& http,
                                          std::string_view payload,
                                          bool is_last) {
    char size_line[net::kChunkHeadBytesMax];
    const std::size_t size_bytes = net::write_chunk_head(payload.size(), size_line);
    const bool has_payload = !payload.empty();
    const std::string_view pieces[] = {
        head_,
        has_payload ? std::string_view(size_line, size_bytes) : std::string_view{},
        payload,
        has_payload ? "\r\n" : "",
        is_last ? kLastChunk : std::string_view{}};
    return http.write_copying(pieces);
}

aio::Task<bool> Pipeline::say_alive(Call& call, std::string_view words) {
    call.is_kept_alive = true;
    const net::Io io = co_await send_chunk(call, words, false);
    co_return io.is_ok();
}

// Nobody else writes to the client from here on. What waits in out_ survives the wait.
aio::Maybe<bool> Pipeline::quiet(Call& call) {
    Keepalive& keepalive = *std::exchange(call.keepalive, nullptr);
    call.is_kept_alive = false;
    return keepalive.is_writing() ? aio::Maybe<bool>(quiet_slowly(keepalive)) : keepalive.stop();
}

aio::Task<bool> Pipeline::quiet_slowly(Keepalive& keepalive) {
    std::string kept = std::exchange(out_, {});
    co_await keepalive.stop();
    out_ = std::move(kept);
    co_return true;
}

// The last attempt failed after the client was told to wait: the stream says so.
aio::Task<void> Pipeline::send_stream_error(Call& call, const Error& error) {
    std::string event;
    call.client.encode_stream(call.answer_terms())->fail(error, event);
    call.http.close_after();
    const net::Io io = co_await send_chunk(call, event, true);
    if (io.is_ok()) {
        call.http.finish();
    }
}

std::unique_ptr<Relay> Pipeline::make_relay(const Call& call) {
    const bool may_omit_done = call.provider->kind().may_omit_done;
    const std::int64_t input_tokens = call.hold.estimate().input_tokens;
    if (call.way.is_translated) {
        return std::make_unique<TranslatingRelay>(
            TranslationTerms{.client = call.client,
                             .provider = provider_edge(call),
                             .answer = call.answer_terms(),
                             .choices = call.request->choices,
                             .may_omit_terminal = may_omit_done,
                             .input_tokens_estimate = input_tokens,
                             .rules = call.runtime().output_rules.get()});
    }
    return std::make_unique<PassRelay>(PassTerms{.pass = *dialect::pass_edge(call.door.dialect),
                                                 .client = call.client,
                                                 .provider = provider_edge(call),
                                                 .answer = call.answer_terms(),
                                                 .choices = call.request->choices,
                                                 .may_omit_done = may_omit_done,
                                                 .input_tokens_estimate = input_tokens,
                                                 .rules = call.runtime().output_rules.get()},
                                       scratch_);
}

// The first token is there. From here on nothing is sent again, and the stream may run for minutes:
// the request's bytes are not held for it.
Result<void> Pipeline::commit(Call& call, net::Exchange& exchange, SteadyTime now) {
    call.first_token_at = now;
    call.status = 200;
    exchange.end_by(call.total);
    call.attempt.state->record_first_token(now - call.attempt.begun, now);
    call.http.release_request();
    call.asked.reset();
    return call.slot.hold_bytes(0);
}

// Up to the first token, for whoever decides then which of two attempts goes on; or to what comes
// in its place. What the client gets of it is in `start`.
aio::Task<void> Pipeline::await_token(Call& call,
                                      net::Exchange& exchange,
                                      Relay& relay,
                                      Start& start) {
    std::string scratch;
    while (start.taken && !relay.is_committed() && !relay.is_done()) {
        const SteadyTime begun = services_.clock.steady_now();
        auto bytes = co_await exchange.read_body();
        if (call.attempt.fault != nullptr && bytes && !bytes->empty()) [[unlikely]] {
            bytes = co_await spoil(call.attempt, *bytes, scratch);
        }
        start.taken = feed(relay, exchange, std::move(bytes), start.out);
        start.token_at = services_.clock.steady_now();
        call.attempt.waited += start.token_at - begun;
    }
}

Result<void> Pipeline::feed(Relay& relay,
                            const net::Exchange& exchange,
                            Result<std::string_view> bytes,
                            std::string& out) {
    if (!bytes) {
        return std::unexpected(std::move(bytes).error());
    }
    return bytes->empty() && exchange.is_complete() ? relay.end(out) : relay.feed(*bytes, out);
}

// `start`: the first token came before, and what it is to the client; null: it is waited for.
aio::Task<Result<void>> Pipeline::relay_stream(Call& call,
                                               net::Exchange& exchange,
                                               Relay& relay,
                                               Start* start) {
    net::ServerCall& http = call.http;
    std::string scratch;
    for (;;) {
        Result<void> taken{};
        if (start != nullptr) {
            out_ = std::move(start->out);
            taken = std::move(start->taken);
            WEIR_CO_TRY(commit(call, exchange, std::exchange(start, nullptr)->token_at));
        } else {
            const bool was_committed = relay.is_committed();
            const SteadyTime begun = was_committed ? SteadyTime{} : services_.clock.steady_now();
            auto bytes = co_await exchange.read_body();
            if (call.attempt.fault != nullptr && bytes && !bytes->empty()) [[unlikely]] {
                bytes = co_await spoil(call.attempt, *bytes, scratch);
            }
            // From here to the write nothing waits: out_ and head_ belong to this call.
            out_.clear();
            taken = feed(relay, exchange, std::move(bytes), out_);
            if (!was_committed) {
                const SteadyTime now = services_.clock.steady_now();
                call.attempt.waited += now - begun;
                if (relay.is_committed()) {
                    WEIR_CO_TRY(commit(call, exchange, now));
                }
            }
        }
        if (!taken) {
            const bool was_cancelled = taken.error().code() == Code::cancelled;
            const aio::Context& context = co_await aio::this_context();
            taken = std::unexpected(reason_of_end(context, http, std::move(taken).error()));
            call.usage = relay.usage();
            if (!relay.is_committed()) {
                // Nothing was produced, unless the call was ended before it could be.
                if (!was_cancelled) {
                    call.usage.reset();
                }
                co_return taken;
            }
            keep_ids(call, relay.made_ids());
            settle_failed(call, taken.error());
            if (taken.error().code() == Code::cancelled) {
                co_return taken;
            }
            relay.fail(taken.error(), out_);
            http.close_after();
        } else if (relay.is_done()) {
            call.usage = relay.usage();
            keep_ids(call, relay.made_ids());
            settle(call);
        }
        const bool last = !taken || relay.is_done();
        if (out_.empty() && !last) {
            continue;
        }
        if (call.keepalive != nullptr) {
            co_await quiet(call);
        }
        const net::Io io = co_await send_chunk(call, out_, last);
        if (!io.is_ok()) {
            // Too slow a reader, or gone: what came until now is billed.
            auto left = fail(Code::cancelled, "The client left.").error();
            call.usage = relay.usage();
            keep_ids(call, relay.made_ids());
            co_return std::unexpected(std::move(left));
        }
        if (last) {
            http.finish();
            if (taken && !exchange.is_complete()) {
                exchange.end_by(aio::Deadline::in(kStreamTailMax));
                const auto tail = co_await exchange.read_body();
                (void)tail;  // only to have the connection back
            }
            co_return Result<void>{};
        }
    }
}

}  // namespace weir::pipeline
