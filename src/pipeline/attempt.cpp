// Step 8: one attempt at a provider. Until the commit a failure is an error answer with a status;
// after it, a typed event in the stream. Its answer goes on in answer.cpp and stream.cpp.
#include <fmt/format.h>

#include "base/text.h"
#include "dialect/carrier.h"
#include "dialect/failure.h"
#include "dialect/json/document.h"
#include "net/http_encode.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {

namespace json = dialect::json;

namespace {

// Requests in writing at once that keep their memory for the next: few, a write seldom waits.
constexpr std::size_t kOutgoingKept = 64;

bool is_event_stream(const net::ResponseHead& head) {
    const std::string_view type = head.find(net::KnownHeader::content_type);
    return starts_with_ignoring_case(type, "text/event-stream") ||
           starts_with_ignoring_case(type, "application/vnd.amazon.eventstream");
}

// What the provider's dialect has no word for is told to the client.
Result<std::string> body_of(Result<dialect::EncodedRequest> encoded, Call& call) {
    WEIR_TRY(auto request, std::move(encoded));
    call.dropped = std::move(request.dropped);
    return std::move(request.body);
}

// Of the limits that a provider tells of, the one that is spent.
std::string_view reset_of(const net::ResponseHead& head) {
    struct Limit {
        std::string_view remaining, reset;
    };
    static constexpr Limit kLimits[] = {
        {"x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"},
        {"x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"},
        {"anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"},
        {"anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"},
        {"anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"},
        {"anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"},
        {"x-ratelimit-remaining", "x-ratelimit-reset"},
    };
    for (const Limit& limit : kLimits) {
        if (head.find(limit.remaining) == "0") {
            return head.find(limit.reset);
        }
    }
    return {};
}

// The conversation began at a provider of another dialect, whose signatures its client brings along
// without knowing (dialect/carrier.h): the provider would refuse them, so the request is written
// anew. What cannot be taken apart is left to the provider to judge.
bool brings_foreign_signatures(const Call& call, std::string_view body) {
    if (!llm::is_generation(call.door.surface) || !call.request->has_history ||
        !dialect::may_carry(body)) {
        return false;
    }
    const auto asked = call.client.decode_request(*call.request, body);
    return asked && dialect::carries_foreign(*asked, call.door.dialect);
}

// What a client of the provider's own dialect says of itself goes along; a translation speaks the
// version that it was written for.
void append_version(const Call& call, std::string& head) {
    const provider::ProviderKind& kind = call.provider->kind();
    bool has_version = false;
    if (!call.way.is_translated) {
        for (const std::string_view name : kind.dialect_fields) {
            if (const auto value = call.http.head().find(name); !value.empty()) {
                net::append_field(head, name, value);
                has_version = has_version || name == kind.version_field;
            }
        }
    }
    if (!kind.version_field.empty() && !has_version) {
        net::append_field(head, kind.version_field, kind.version);
    }
}

}  // namespace

const dialect::ProviderEdge& Pipeline::provider_edge(const Call& call) {
    return dialect::provider_edge(call.way.dialect);
}

// The body as the provider's dialect has it. Waits, and has a frame, only where files are fetched.
aio::Maybe<Result<std::string>> Pipeline::translate(Call& call, std::string_view body) {
    using Encoded = Result<std::string>;
    if (call.door.surface == llm::Surface::embeddings) {
        return body_of(provider_edge(call).encode_embeddings(body, call.target()), call);
    }
    if (auto understood = understand(call, body); !understood) {
        return Encoded(std::unexpected(std::move(understood).error()));
    }
    const bool lacks_files = needs_files(call, *call.asked);
    if (lacks_files && call.runtime().fetcher && !call.is_beside) {
        return fetch_and_encode(call, *call.asked);
    }
    Encoded encoded = encode(call, *call.asked);
    if (!encoded && lacks_files) {
        return Encoded(std::unexpected(std::move(encoded).error().with_detail(
            "files named by URLs are not fetched: fetch.enabled is false")));
    }
    return encoded;
}

Result<std::string> Pipeline::encode(Call& call, const llm::Call& asked) {
    const dialect::ProviderEdge& edge = provider_edge(call);
    const bool counts = call.door.surface == llm::Surface::count_tokens;
    return body_of((counts ? edge.encode_count : edge.encode_request)(asked, call.target()), call);
}

aio::Task<Result<void>> Pipeline::attempt(Call& call, std::string_view body) {
    WEIR_UNINITIALIZED net::Exchange exchange(
        *call.generation->pools[call.choice.target->provider]);
    WEIR_CO_TRY(co_await ask(call, body, exchange));
    if (llm::passes_through(call.door.surface)) {
        co_return co_await relay_passing(call, exchange);
    }
    if (call.request->stream) {
        const auto relay = make_relay(call);
        co_return co_await relay_stream(call, exchange, *relay, nullptr);
    }
    co_return co_await relay_answer(call, exchange);
}

// Sends the call to where it is now, until the head of a good answer is there.
aio::Task<Result<void>> Pipeline::ask(Call& call, std::string_view body, net::Exchange& exchange) {
    const router::Timeouts& timeouts = call.resolved.model->timeouts;
    const bool passes = llm::passes_through(call.door.surface);
    const bool streamed = call.request->stream && !passes;

    std::string translated;
    const bool is_written_anew = call.way.is_translated || brings_foreign_signatures(call, body);
    if (is_written_anew) {
        WEIR_CO_TRY(translated, co_await translate(call, body));
        body = translated;
    }
    // A whole answer comes when the model is done: only a stream owes us a first token soon,
    // counted from when the provider is asked.
    const aio::Deadline first = streamed ? call.total.at_most(timeouts.first_token) : call.total;
    json::Splice spliced(body);
    if (!is_written_anew) {
        dialect::rewrite(*call.request, call.choice.upstream_model, spliced);
    }
    auto outgoing = take_outgoing();
    std::string& head = outgoing->head;
    call.provider->begin_head(
        call.way, call.choice.upstream_model, streamed, call.attempt.credential, head);
    append_body_fields(call, spliced.size(), head);
    const auto traceparent = obs::traceparent(call.trace);
    net::append_field(head, "traceparent", {traceparent.data(), traceparent.size()});
    append_version(call, head);
    for (const std::string& name : call.provider->forward_headers()) {
        if (const auto value = call.http.head().find(name); !value.empty()) {
            net::append_field(head, name, value);
        }
    }
    outgoing->pieces.assign(1, head);
    spliced.append_pieces(outgoing->pieces);
    call.provider->sign(std::span(outgoing->pieces).subspan(1), services_.clock.wall_now(), head);
    head += "\r\n";
    outgoing->pieces.front() = head;

    WEIR_CO_TRY(open(call));
    call.attempt.begun = services_.clock.steady_now();
    call.generation->meters.begin_attempt(call);
    const net::Timing timing{.connect_max = timeouts.connect,
                             .first_byte = first,
                             .idle_max = timeouts.idle,
                             .total = first};
    Result<void> sent{};
    tempt_fate(call);
    if (call.attempt.fault) {
        sent = co_await suffer(call, first);
    }
    if (!sent) {
        // The provider is not asked.
    } else if (call.upload && !call.upload->is_whole) {
        sent = co_await send_upload(call, exchange, outgoing->pieces, timing);
    } else {
        sent = co_await exchange.send(outgoing->pieces, net::Method::post, timing);
    }
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
        Error refusal = co_await read_refusal(call, exchange);
        call.attempt.ended = services_.clock.steady_now();
        co_return std::unexpected(std::move(refusal));
    }
    if (streamed && !is_event_stream(exchange.head())) {
        Error refusal = co_await read_whole_instead(call, exchange);
        call.attempt.ended = services_.clock.steady_now();
        co_return std::unexpected(std::move(refusal));
    }
    co_return Result<void>{};
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
aio::Task<Error> Pipeline::read_refusal(Call& call, net::Exchange& exchange) {
    const net::ResponseHead& head = exchange.head();
    const int status = head.status;
    const auto wait = dialect::read_retry_after({.retry_after = head.find("retry-after"),
                                                 .retry_after_ms = head.find("retry-after-ms"),
                                                 .reset = reset_of(head)},
                                                services_.clock.wall_now());
    const std::string error_type(head.find("x-amzn-errortype"));
    const std::string body = co_await read_words(exchange);
    co_return provider_edge(call).decode_error(
        {.status = status, .body = body, .retry_after = wait, .error_type = error_type});
}

// A stream was asked for, and something else came with a 200: an error of the provider's, or
// nonsense.
aio::Task<Error> Pipeline::read_whole_instead(Call& call, net::Exchange& exchange) {
    const std::string body = co_await read_words(exchange);
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    // Gemini gives its errors in an array where a stream was asked for.
    const json::Value first = root && root->is_array() && root->size() > 0 ? *root->begin()
                              : root                                       ? *root
                                                                           : json::Value{};
    if (first["error"].has_value()) {
        co_return provider_edge(call).decode_error(
            {.status = dialect::kServerError, .body = first.json()});
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

}  // namespace weir::pipeline
