// Steps 8 and 9: one attempt at a provider, and its answer on the way to the client. Until the
// commit a failure is an error answer with a status; after it, a typed event in the stream.
#include <fmt/format.h>

#include "base/text.h"
#include "dialect/failure.h"
#include "dialect/openai_chat/error.h"
#include "net/http_body.h"
#include "net/http_encode.h"
#include "pipeline/pipeline.h"
#include "pipeline/screen.h"
#include "pipeline/stream_relay.h"

namespace weir::pipeline {

namespace json = dialect::json;
namespace openai_chat = dialect::openai_chat;

namespace {

// A provider that has sent its terminal event ends its answer at once; waiting longer for that
// would only keep the client's next request waiting.
constexpr std::chrono::milliseconds kStreamTailMax{50};
// Requests in writing at once that keep their memory for the next: few, a write seldom waits.
constexpr std::size_t kOutgoingKept = 64;
// The status that a provider would have used, had it not spent it on 200.
constexpr int kServerError = 500;
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr std::string_view kStreamFields =
    "content-type: text/event-stream\r\n"
    "cache-control: no-cache\r\n"
    "x-accel-buffering: no\r\n"  // a proxy in front must not collect what comes in pieces
    "transfer-encoding: chunked\r\n\r\n";

bool is_event_stream(const net::ResponseHead& head) {
    return starts_with_ignoring_case(head.find(net::KnownHeader::content_type),
                                     "text/event-stream");
}

// What the client is to read in `model`; empty: what the provider says.
std::string_view public_model(const Call& call) {
    return call.asked_model == call.route.upstream_model ? std::string_view{} : call.asked_model;
}

}  // namespace

aio::Task<Result<void>> Pipeline::attempt(Call& call, std::string_view body) {
    const router::Timeouts& timeouts = call.route.model->timeouts;
    const bool streamed = call.request->stream;
    const aio::Deadline total = aio::Deadline::in(timeouts.total);
    // A whole answer comes when the model is done: only a stream owes us a first token soon.
    const aio::Deadline first = streamed ? total.at_most(timeouts.first_token) : total;

    json::Splice spliced(body);
    dialect::rewrite(*call.request, call.route.upstream_model, spliced);
    auto outgoing = take_outgoing();
    std::string& head = outgoing->head;
    head = call.provider->head(call.surface);
    net::append_field(head, "content-length", std::uint64_t{spliced.size()});
    const auto traceparent = obs::traceparent(call.trace);
    net::append_field(head, "traceparent", {traceparent.data(), traceparent.size()});
    for (const std::string& name : call.provider->forward_headers()) {
        if (const auto value = call.http.head().find(name); !value.empty()) {
            net::append_field(head, name, value);
        }
    }
    head += "\r\n";
    outgoing->pieces.assign(1, head);
    spliced.append_pieces(outgoing->pieces);

    WEIR_CO_TRY(open(call));
    call.attempt.begun = services_.clock.steady_now();
    WEIR_UNINITIALIZED net::Exchange exchange(*pools_[call.route.model->target.provider]);
    const net::Timing timing{.connect_max = timeouts.connect,
                             .first_byte = first,
                             .idle_max = timeouts.idle,
                             .total = first};
    auto sent = co_await exchange.send(outgoing->pieces, net::Method::post, timing);
    give_back(std::move(outgoing));
    call.attempt.sent = exchange.was_sent();
    call.attempt.waited = services_.clock.steady_now() - call.attempt.begun;
    if (!sent) {
        call.attempt.ended = services_.clock.steady_now();
        if (sent.error().code() == Code::cancelled && call.attempt.sent) {
            // The provider may work for a caller who left: its input is billed.
            call.usage =
                llm::Usage{.input_tokens = call.hold.estimate().input_tokens, .estimated = true};
        }
        co_return std::unexpected(std::move(sent).error());
    }
    call.attempt.status = exchange.head().status;
    if (exchange.head().status < 200 || exchange.head().status > 299) {
        Error refusal = co_await read_refusal(exchange);
        call.attempt.ended = services_.clock.steady_now();
        co_return std::unexpected(std::move(refusal));
    }
    if (streamed) {
        if (!is_event_stream(exchange.head())) {
            Error refusal = co_await read_whole_instead(exchange);
            call.attempt.ended = services_.clock.steady_now();
            co_return std::unexpected(std::move(refusal));
        }
        co_return co_await relay_stream(call, exchange);
    }
    co_return co_await relay_answer(call, exchange);
}

std::unique_ptr<Pipeline::Outgoing> Pipeline::take_outgoing() {
    if (outgoing_.empty()) {
        return std::make_unique<Outgoing>();
    }
    auto outgoing = std::move(outgoing_.back());
    outgoing_.pop_back();
    return outgoing;
}

void Pipeline::give_back(std::unique_ptr<Outgoing> outgoing) {
    if (outgoing_.size() < kOutgoingKept) {
        outgoing_.push_back(std::move(outgoing));
    }
}

// What a provider's error status means. Its body is read as far as it helps.
aio::Task<Error> Pipeline::read_refusal(net::Exchange& exchange) {
    const int status = exchange.head().status;
    const auto wait =
        dialect::read_retry_after({.retry_after = exchange.head().find("retry-after"),
                                   .retry_after_ms = exchange.head().find("retry-after-ms")},
                                  services_.clock.wall_now());
    const std::string body = co_await read_words(exchange);
    co_return openai_chat::decode_error({.status = status, .body = body, .retry_after = wait});
}

// A stream was asked for, and something else came with a 200: an error of the provider's, or
// nonsense.
aio::Task<Error> Pipeline::read_whole_instead(net::Exchange& exchange) {
    const std::string body = co_await read_words(exchange);
    const auto answer = openai_chat::decode_answer(body, scratch_.json);
    if (answer && answer->error.is_set()) {
        co_return openai_chat::decode_error({.status = kServerError, .body = body});
    }
    co_return dialect::unusable_answer("a stream was asked for, the answer is none").error();
}

aio::Task<std::string> Pipeline::read_words(net::Exchange& exchange) {
    std::string body;
    while (body.size() < kErrorBodyBytesMax) {
        const auto bytes = co_await exchange.read_body();
        if (!bytes || bytes->empty()) {
            break;
        }
        body += *bytes;
    }
    co_return body;
}

// Checks a whole answer and learns its usage.
Result<void> Pipeline::judge_answer(Call& call,
                                    std::string_view body,
                                    openai_chat::Answer& answer) {
    WEIR_TRY(answer, openai_chat::decode_answer(body, scratch_.json));
    if (answer.error.is_set()) {
        return std::unexpected(openai_chat::decode_error({.status = kServerError, .body = body}));
    }
    if (answer.is_empty()) {
        return dialect::unusable_answer("the answer holds nothing");
    }
    call.usage = answer.usage;
    if (!call.usage) {
        std::uint64_t bytes = 0;
        for (const auto& choice : answer.choices) {
            bytes += choice.content.size;
        }
        call.usage = llm::Usage{.input_tokens = call.hold.estimate().input_tokens,
                                .output_tokens = estimate_output_tokens(0, bytes),
                                .estimated = true};
    }
    return {};
}

aio::Task<Result<void>> Pipeline::relay_answer(Call& call, net::Exchange& exchange) {
    // Most answers come in one piece and are used where they lie; others are gathered.
    const SteadyTime begun = call.attempt.begun + call.attempt.waited;
    auto first = co_await exchange.read_body();
    std::string gathered;
    std::string_view body;
    Result<void> read{};
    if (!first) {
        read = std::unexpected(std::move(first).error());
    } else if (exchange.is_complete()) {
        body = *first;
    } else {
        gathered.assign(*first);
        while (!exchange.is_complete()) {
            const auto bytes = co_await exchange.read_body();
            if (!bytes) {
                read = std::unexpected(bytes.error());
                break;
            }
            gathered += *bytes;
            if (gathered.size() > kAnswerBytesMax) {
                read = dialect::unusable_answer("the answer is too large");
                break;
            }
        }
        body = gathered;
    }
    call.attempt.ended = services_.clock.steady_now();
    call.attempt.waited += call.attempt.ended - begun;
    if (!read) {
        if (read.error().code() == Code::cancelled) {
            call.usage =
                llm::Usage{.input_tokens = call.hold.estimate().input_tokens, .estimated = true};
        }
        co_return read;
    }
    openai_chat::Answer answer;
    WEIR_CO_TRY(judge_answer(call, body, answer));
    std::vector<openai_chat::Cut> cuts;
    if (runtime_.output_rules != nullptr) {
        cuts = screen(answer, body, *runtime_.output_rules);
    }
    json::Splice splice(body);
    openai_chat::rewrite_answer(answer, body, public_model(call), cuts, splice);
    call.status = 200;
    settle(call);
    pieces_.clear();
    splice.append_pieces(pieces_);
    co_return co_await send_whole(call, 200, "application/json", pieces_);
}

aio::Task<Result<void>> Pipeline::relay_stream(Call& call, net::Exchange& exchange) {
    net::ServerCall& http = call.http;
    // A stream may run for minutes: the request's bytes are not held for it.
    http.release_request();
    WEIR_CO_TRY(call.slot.hold_bytes(0));
    StreamRelay relay({.public_model = public_model(call),
                       .include_usage = call.request->include_usage,
                       .choices = call.request->choices,
                       .may_omit_done = call.provider->kind().may_omit_done,
                       .input_tokens_estimate = call.hold.estimate().input_tokens,
                       .rules = runtime_.output_rules.get()},
                      scratch_);
    const aio::Deadline total =
        aio::Deadline::at(call.attempt.begun + call.route.model->timeouts.total);
    bool has_head = false;
    for (;;) {
        const bool was_committed = relay.is_committed();
        const SteadyTime begun = was_committed ? SteadyTime{} : services_.clock.steady_now();
        auto bytes = co_await exchange.read_body();
        // From here to the write nothing waits: out_ and head_ belong to this call.
        out_.clear();
        Result<void> taken{};
        if (!bytes) {
            taken = std::unexpected(std::move(bytes).error());
        } else {
            taken = bytes->empty() && exchange.is_complete() ? relay.end(out_)
                                                             : relay.feed(*bytes, out_);
        }
        if (!was_committed) {
            const SteadyTime now = services_.clock.steady_now();
            call.attempt.waited += now - begun;
            if (relay.is_committed()) {
                call.first_token_at = now;
                call.status = 200;
                exchange.end_by(total);
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
            settle_failed(call, taken.error());
            if (taken.error().code() == Code::cancelled) {
                co_return taken;
            }
            out_ += "data: " + openai_chat::encode_error(taken.error()) + "\n\n";
            http.close_after();
        } else if (relay.is_done()) {
            call.usage = relay.usage();
            settle(call);
        }
        const bool last = !taken || relay.is_done();
        if (out_.empty() && !last) {
            continue;
        }
        head_.clear();
        if (!has_head) {
            begin_head(call, 200);
            head_ += kStreamFields;
            has_head = true;
        }
        char size_line[net::kChunkHeadBytesMax];
        const std::size_t size_bytes = net::write_chunk_head(out_.size(), size_line);
        const std::string_view pieces[] = {
            head_, {size_line, size_bytes}, out_, "\r\n", last ? kLastChunk : std::string_view{}};
        const net::Io io = co_await http.write_copying(pieces);
        if (!io.is_ok()) {
            // Too slow a reader, or gone: what came until now is billed.
            auto left = fail(Code::cancelled, "The client left.").error();
            call.usage = relay.usage();
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
