// Step 9 for surfaces that pass through: their answers are the client's as they come, and Weir
// reads of them what they cost. What is no JSON (sounds, subtitles, events) is relayed as it comes.
#include <algorithm>

#include "base/text.h"
#include "dialect/failure.h"
#include "dialect/passing/answer.h"
#include "dialect/rewrite.h"
#include "net/http_body.h"
#include "net/http_encode.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {
namespace {

using llm::Operation;
using llm::Surface;

// Where no provider says what it used, or before it does. Speech: 150 words a minute are 15
// characters a second; OpenAI's models say 1,250 tokens of audio a minute, and hear 600.
constexpr std::int64_t kCharactersPerSecond = 15;
constexpr std::int64_t kCharactersPerToken = 4;
constexpr std::int64_t kSpokenTokensPerMinute = 1250;
constexpr std::int64_t kHeardTokensPerMinute = 600;
// Of recordings: 128 kbit/s, as of most MP3.
constexpr std::int64_t kRecordingBytesPerSecond = 16'000;
// A square of 1024 pixels in OpenAI's high quality is 4,160, the largest picture 6,240.
constexpr std::int64_t kTokensPerImage = 6240;
constexpr std::int64_t kImageBytesPerToken = 1000;

std::string_view content_type_where_unsaid(Operation operation) {
    return operation == Operation::speech ? "application/octet-stream" : "text/plain";
}

}  // namespace

llm::Usage Pipeline::foresee(const Call& call) {
    const auto bytes = static_cast<std::int64_t>(call.body_bytes);
    llm::Usage usage{.estimated = true};
    switch (call.door.operation) {
        case Operation::generation:
        case Operation::edit:
        case Operation::variation:
            usage.images = call.request->choices;
            usage.input_tokens = bytes / (call.upload ? kImageBytesPerToken : kCharactersPerToken);
            usage.output_tokens = usage.images * kTokensPerImage;
            usage.output_image_tokens = usage.output_tokens;
            break;
        case Operation::speech: {
            const std::int64_t characters = call.request->input_characters;
            usage.input_tokens = (characters + kCharactersPerToken - 1) / kCharactersPerToken;
            usage.audio_milliseconds = characters * 1000 / kCharactersPerSecond;
            usage.output_tokens = usage.audio_milliseconds * kSpokenTokensPerMinute / 60'000;
            usage.output_audio_tokens = usage.output_tokens;
            break;
        }
        case Operation::transcription:
        case Operation::translation:
            usage.audio_milliseconds = bytes * 1000 / kRecordingBytesPerSecond;
            usage.input_tokens = usage.audio_milliseconds * kHeardTokensPerMinute / 60'000;
            usage.input_audio_tokens = usage.input_tokens;
            usage.output_tokens = usage.input_tokens / 2;  // words are fewer than tokens of sound
            break;
        case Operation::only:
            usage.searches = call.door.surface == Surface::rerank ? 1 : 0;
            usage.input_tokens =
                call.door.surface == Surface::rerank ? bytes / kCharactersPerToken : 0;
            break;
    }
    return usage;
}

Result<void> Pipeline::pass_other_answer(Call& call,
                                         std::string_view body,
                                         dialect::json::Splice& splice) {
    WEIR_TRY(
        const auto answer,
        dialect::passing::read_answer(call.door.surface, call.door.operation, body, scratch_.json));
    if (answer.error.is_set()) {
        return std::unexpected(
            provider_edge(call).decode_error({.status = dialect::kServerError, .body = body}));
    }
    if (answer.is_empty) {
        return dialect::unusable_answer("the answer holds nothing");
    }
    call.usage = answer.usage ? *answer.usage : foresee(call);
    scratch_.view.clear();
    scratch_.view.model = answer.model;
    dialect::rewrite_answer(scratch_.view, call.public_model(), {}, splice);
    return {};
}

aio::Task<Result<void>> Pipeline::relay_passing(Call& call, net::Exchange& exchange) {
    std::string type(exchange.head().find(net::KnownHeader::content_type));
    // What does not say what it is may be a sound or a text, but nowhere else.
    if (starts_with_ignoring_case(type, "application/json") ||
        (type.empty() && call.door.surface != Surface::audio)) {
        co_return co_await relay_answer(call, exchange);
    }
    if (type.empty()) {
        type = content_type_where_unsaid(call.door.operation);
    }
    co_return co_await relay_bytes(call, exchange, std::move(type));
}

aio::Task<Result<void>> Pipeline::relay_bytes(Call& call,
                                              net::Exchange& exchange,
                                              std::string type) {
    net::ServerCall& http = call.http;
    const bool is_events = starts_with_ignoring_case(type, "text/event-stream");
    dialect::passing::StreamTap tap(call.door.surface, call.door.operation);
    const auto usage_until_now = [&] { return tap.usage() ? *tap.usage() : foresee(call); };
    bool has_head = false;
    for (;;) {
        const SteadyTime begun = services_.clock.steady_now();
        auto bytes = co_await exchange.read_body();
        // From here to the write nothing waits: out_ and head_ belong to this call.
        out_.clear();
        Result<void> taken{};
        if (!bytes) {
            taken = std::unexpected(std::move(bytes).error());
        } else if (bytes->empty() && !has_head) {
            taken = dialect::unusable_answer("the answer holds nothing");
        } else if (is_events) {
            taken = tap.feed(*bytes, scratch_.json);
        }
        if (!has_head) {
            const SteadyTime now = services_.clock.steady_now();
            call.attempt.waited += now - begun;
            if (taken) {
                call.first_token_at = now;
                call.status = 200;
                // Sounds may take minutes: the request's bytes are not held for them.
                http.release_request();
                if (call.upload) {
                    call.upload->held = {};
                }
                WEIR_CO_TRY(call.slot.hold_bytes(0));
            }
        }
        if (!taken) {
            const aio::Context& context = co_await aio::this_context();
            taken = std::unexpected(reason_of_end(context, http, std::move(taken).error()));
            const bool was_cancelled = taken.error().code() == Code::cancelled;
            if (has_head || was_cancelled) {
                call.usage = usage_until_now();
            }
            // A client in the middle of a sound is told by a connection that is cut.
            if (!has_head || was_cancelled || !is_events || !tap.is_between_events()) {
                co_return taken;
            }
            settle_failed(call, taken.error());
            out_ = "event: error\ndata: ";
            out_ += call.client.encode_error(taken.error(), call.id_text());
            out_ += "\n\n";
            http.close_after();
        }
        const bool is_last = !taken || exchange.is_complete();
        if (taken && is_last) {
            call.usage = usage_until_now();
            if (tap.has_error()) {
                call.attempt.outcome = call.code = name(Code::upstream_error);
                call.attempt.failure = Code::upstream_error;
                call.fault = Fault::upstream;
            }
            settle(call);
        }
        const std::string_view payload = taken ? *bytes : std::string_view(out_);
        head_.clear();
        if (!has_head) {
            begin_head(call, 200);
            net::append_field(head_, "content-type", type);
            head_ += is_events ? "cache-control: no-cache\r\nx-accel-buffering: no\r\n" : "";
            head_ += "transfer-encoding: chunked\r\n\r\n";
            has_head = true;
        }
        const net::Io io = co_await write_chunk(http, payload, is_last);
        if (!io.is_ok()) {
            call.usage = usage_until_now();
            co_return fail(Code::cancelled, "The client left.");
        }
        if (is_last) {
            http.finish();
            co_return Result<void>{};
        }
    }
}

}  // namespace weir::pipeline
