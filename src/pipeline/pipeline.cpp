#include "pipeline/pipeline.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <exception>

#include "base/text.h"
#include "dialect/carrier.h"
#include "dialect/check.h"
#include "dialect/form/request.h"
#include "pipeline/credential.h"
#include "price/rates.h"
#include "quota/estimate.h"

namespace weir::pipeline {

namespace {

// A client whose call a stopping gateway ends finds another replica at once.
constexpr std::chrono::seconds kStoppedRetryAfter{1};
// Memory that runs short comes back when calls end.
constexpr std::chrono::seconds kShedRetryAfter{1};
// How often it is looked whose turn it is: no interval is shorter. Where nobody is probed, a reload
// may say otherwise.
constexpr std::chrono::milliseconds kProbeTick{100};
constexpr std::chrono::milliseconds kNoProbeTick{1'000};
// A credential that must be looked up waits for the database at most this long.
constexpr std::chrono::seconds kIdentifyMax{5};

// Different on every thread and in every process: replicas must not roll the same dice.
std::uint64_t fresh_seed() {
    std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
    secure_random(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

Error unexpected_failure(const std::exception& thrown) {
    return Error(Code::internal, "The gateway failed; tell its operator the request id.")
        .with_detail(thrown.what());
}

// A body of any other kind would be misread, or not be read at all.
Result<void> check_body_kind(Call& call) {
    const net::RequestHead& head = call.http.head();
    const std::string_view encoding = head.find(net::KnownHeader::content_encoding);
    if (!encoding.empty() && !equals_ignoring_case(encoding, "identity")) {
        return fail(Code::unsupported_media_type,
                    "The body must not be compressed: leave out Content-Encoding.");
    }
    const std::string_view type = head.find(net::KnownHeader::content_type);
    const bool may_be_form = llm::may_be_form(call.door.operation);
    if (may_be_form && dialect::form::is_form(type)) {
        WEIR_TRY(const auto boundary, dialect::form::boundary_of(type));
        call.upload = std::make_unique<Upload>(boundary);
    } else if (!type.empty() && !starts_with_ignoring_case(type, "application/json")) {
        return fail(Code::unsupported_media_type,
                    may_be_form ? "The body must be a form or JSON: send Content-Type: "
                                  "multipart/form-data or application/json."
                                : "The body must be JSON: send Content-Type: application/json.");
    }
    if (head.has_unknown_expectation) {
        return fail(Code::expectation_failed, "Only 'Expect: 100-continue' is understood here.");
    }
    return {};
}

}  // namespace

Pipeline::Pipeline(unsigned thread,
                   std::shared_ptr<const runtime::Runtime> runtime,
                   const Services& services)
    : thread_(thread),
      services_(services),
      generation_(
          std::make_shared<Generation>(std::move(runtime), services.metrics, thread, nullptr)),
      random_(fresh_seed()) {}

void Pipeline::adopt(std::shared_ptr<const runtime::Runtime> runtime) {
    generation_ = std::make_shared<Generation>(
        std::move(runtime), services_.metrics, thread_, generation_.get());
}

Pipeline::~Pipeline() = default;

aio::Task<void> Pipeline::serve(net::ServerCall& http, Door door) {
    const std::string_view label = llm::name(door.surface);
    Call call(http, generation_, std::move(door), label, services_.clock);
    std::optional<Error> failure;
    try {
        auto outcome = co_await run(call);
        if (!outcome) {
            failure = std::move(outcome).error();
        }
    } catch (const std::exception& thrown) {
        failure = unexpected_failure(thrown);
    }
    if (failure) {
        const aio::Context& context = co_await aio::this_context();
        *failure = reason_of_end(context, http, std::move(*failure));
        settle_failed(call, *failure);
        if (call.is_kept_alive && failure->code() != Code::cancelled) {
            co_await send_stream_error(call, *failure);
        } else {
            co_await send_error(call, *failure, {});
        }
    }
    observe(call);
}

Error Pipeline::reason_of_end(const aio::Context& context,
                              const net::ServerCall& http,
                              Error error) {
    // A reader that stalled is there too, but its call was not cancelled: it ended by itself.
    if (error.code() != Code::cancelled || !context.is_cancelled() || !http.has_client()) {
        return error;
    }
    return Error(Code::overloaded, "The gateway is stopping; make the call again.")
        .with_detail("drain")
        .with_retry_after(kStoppedRetryAfter);
}

aio::Task<Result<void>> Pipeline::run(Call& call) {
    net::ServerCall& http = call.http;
    // 1 The context was made with the call: its id is in every answer, also in a refusal.
    // 2 The address is judged first: a flood costs no more than its heads.
    WEIR_CO_TRY(call.runtime().limits.check_address(http.client().bytes, call.begun));
    // 3 Before anything is read for a stranger.
    WEIR_CO_TRY(co_await identify(call));
    // 4a Rate, concurrency and bytes in flight: before a byte of the body is taken in.
    WEIR_CO_TRY(check_body_kind(call));
    WEIR_CO_TRY(enter(call));
    WEIR_CO_TRY(call.wishes, read_wishes(http.head(), call.who->key()));
    WEIR_CO_TRY(co_await find_place(call));
    // 4b What is asked for. The body is validated whole, here and nowhere else.
    std::string_view body;
    if (call.upload) {
        WEIR_CO_TRY(co_await read_upload(call));
        body = call.upload->held;
    } else {
        const auto whole = co_await http.read_body(kRequestBodyBytesMax);
        if (!whole) {
            co_return std::unexpected(whole.error());
        }
        body = *whole;
    }
    WEIR_CO_TRY(decode(call, body));
    // What a provider keeps is whose it was made for: all callers share one account there. Where
    // the call is translated everywhere, nothing of it is sent; decode() has said what that means.
    if (!call.request->provider_ids.empty() && may_pass_somewhere(call)) {
        WEIR_CO_TRY(co_await check_kept(call));
        WEIR_CO_TRY(find_route(call));
    }
    if (call.is_counted_here) {
        co_return co_await count_tokens(call, body);
    }
    // 4c Set aside what it may use: all or nothing.
    WEIR_CO_TRY(reserve(call));
    // 7 to 9 for every attempt, and 10 before the last byte leaves.
    if (call.door.surface == llm::Surface::count_tokens) {
        co_return co_await ask_for_count(call, body);
    }
    co_return co_await make_attempts(call, body);
}

aio::Maybe<Result<void>> Pipeline::identify(Call& call) {
    const std::string_view credential = credential_of(call.http.head());
    auto known = services_.authenticator.find_cached(call.runtime().auth_mode, credential);
    if (known) {
        if (!*known) {
            if (!credential.empty()) {
                count_guess(call.http.client());
            }
            return Result<void>(std::unexpected(std::move(*known).error()));
        }
        call.who = std::move(**known);
        return Result<void>{};
    }
    return look_up(call, std::string(credential));
}

aio::Task<Result<void>> Pipeline::look_up(Call& call, std::string credential) {
    // A key that is known passed already: one guesser behind a shared address must not lock out its
    // neighbours.
    WEIR_CO_TRY(check_guesses(call.http.client()));
    auto who = co_await services_.authenticator.identify(
        call.runtime().auth_mode, credential, aio::Deadline::in(kIdentifyMax));
    if (!who) {
        if (who.error().code() == Code::invalid_api_key) {
            count_guess(call.http.client());
        }
        co_return std::unexpected(std::move(who).error());
    }
    call.who = std::move(*who);
    co_return Result<void>{};
}

Result<void> Pipeline::check_guesses(const net::IpAddress& address) {
    return generation_->runtime->limits.check_guesses(address.bytes, services_.clock.steady_now());
}

void Pipeline::count_guess(const net::IpAddress& address) {
    generation_->runtime->limits.count_guess(address.bytes, services_.clock.steady_now());
}

Result<void> Pipeline::enter(Call& call) {
    if (services_.pressure.sheds(class_of(call.who->key().priority), random_.next())) {
        return fail(Code::overloaded, "The gateway is short of memory; try again shortly.")
            .detail("memory")
            .retry_after(kShedRetryAfter);
    }
    const net::RequestHead& head = call.http.head();
    const std::size_t bytes_max = call.upload ? kUploadBytesMax : kRequestBodyBytesMax;
    if (head.content_length.value_or(0) > bytes_max) {
        return fail(Code::payload_too_large,
                    fmt::format("The body is larger than the {} bytes allowed here.", bytes_max));
    }
    const auth::KeyRecord& key = call.who->key();
    const quota::Entrant entrant{
        .address = call.http.client().bytes,
        .key = call.who->limits(),
        .key_limits = {.requests_per_minute = key.requests_per_minute,
                       .concurrency_max = key.concurrency_max},
        .key_id = key.id,
        // A body that does not say its size may become the largest there is.
        .body_bytes = head.is_chunked ? bytes_max : head.content_length.value_or(0)};
    WEIR_TRY(call.slot, call.runtime().limits.enter(entrant, call.begun));
    return {};
}

// The gateway itself has only so many calls at once: those above wait here, before anything of
// theirs is read.
aio::Maybe<Result<void>> Pipeline::find_place(Call& call) {
    if (auto place = services_.in_flight.try_enter()) [[likely]] {
        call.place = std::move(*place);
        return Result<void>{};
    }
    return wait_for_place(call);
}

aio::Task<Result<void>> Pipeline::wait_for_place(Call& call) {
    const SteadyTime begun = services_.clock.steady_now();
    const aio::Deadline patience = call.wishes.timeout
                                       ? aio::Deadline::at(call.begun + *call.wishes.timeout)
                                       : aio::Deadline::never();
    auto place = co_await services_.in_flight.enter(
        class_of(call.wishes.priority), call.who->key().tenant_id, patience);
    call.past_waited += services_.clock.steady_now() - begun;
    if (!place) {
        co_return std::unexpected(std::move(place).error().with_detail("in_flight"));
    }
    call.place = std::move(*place);
    co_return Result<void>{};
}

Result<void> Pipeline::decode(Call& call, std::string_view body) {
    call.body_bytes = body.size();
    WEIR_TRY(call.slot.hold_bytes(body.size()));
    const dialect::RequestPath path{
        .surface = call.door.surface, .model = call.door.model, .stream = call.door.stream};
    if (call.upload) {
        WEIR_TRY(call.request, dialect::form::read_request(path, call.upload->scanner));
        if (!call.upload->is_whole) {
            call.body_bytes = call.http.head().content_length.value_or(kUploadBytesMax);
        }
    } else {
        WEIR_TRY(call.request, call.client.read_request(path, body, scratch_.json));
    }
    call.asked_model =
        call.request->model.empty() ? call.runtime().catalog.default_model() : call.request->model;
    WEIR_TRY(call.resolved, call.runtime().catalog.resolve(call.asked_model));
    if (!call.who->may_use_model(call.asked_model)) {
        return fail(Code::model_not_allowed,
                    "This API key may not use this model; GET /v1/models lists those it may.")
            .parameter("model");
    }
    WEIR_TRY(pin(call));
    WEIR_TRY(find_route(call));
    // A provider that counts refuses another's signatures as it does when it is asked to answer.
    if (call.door.surface == llm::Surface::count_tokens && call.request->has_history &&
        dialect::may_carry(body)) {
        call.is_counted_here = true;
    }
    if (call.way.is_translated && !call.is_counted_here) {
        WEIR_TRY(understand(call, body));
    }
    return {};
}

// The request as all dialects can say it, once.
Result<void> Pipeline::understand(Call& call, std::string_view body) {
    if (call.asked || call.door.surface == llm::Surface::embeddings) {
        return {};
    }
    WEIR_TRY(auto asked, call.client.decode_request(*call.request, body));
    WEIR_TRY(dialect::check(asked));
    call.asked = std::make_unique<llm::Call>(std::move(asked));
    return {};
}

// What the call may use at one of its targets.
quota::HoldEstimate Pipeline::estimate_at(const Call& call, const router::Choice& choice) {
    std::uint64_t output_tokens = 0;
    if (llm::is_generation(call.door.surface) || call.door.surface == llm::Surface::completions) {
        auto each = static_cast<std::uint64_t>(
            call.request->max_output_tokens.value_or(choice.output_tokens_max));
        const auto way = call.asked ? way_to(call, *choice.target) : std::nullopt;
        if (const auto raised = way && way->is_translated
                                    ? dialect::provider_edge(way->dialect).output_tokens_max
                                    : nullptr) {
            // What it may think beyond the client's own limit is paid for, too.
            each = std::max(
                each, static_cast<std::uint64_t>(raised(*call.asked, call.target_at(choice))));
        }
        output_tokens = std::min<std::uint64_t>(each, quota::kTokensMax) *
                        static_cast<std::uint64_t>(call.request->choices);
    }
    auto estimate = quota::estimate_tokens(call.body_bytes, output_tokens);
    llm::Usage foreseen;
    if (llm::passes_through(call.door.surface)) {
        foreseen = foresee(call);
        estimate.input_tokens = std::min(foreseen.input_tokens, quota::kTokensMax);
        estimate.output_tokens = std::min(foreseen.output_tokens, quota::kTokensMax);
    }
    if (choice.rates != nullptr) {
        const price::Rates& rates = *choice.rates;
        const price::Dearest dearest = price::dearest(rates, estimate.input_tokens);
        // What is not counted in tokens, and the request itself.
        const auto units = price::cost(rates,
                                       {.images = foreseen.images,
                                        .audio_milliseconds = foreseen.audio_milliseconds,
                                        .searches = foreseen.searches});
        estimate.cost = quota::estimate_cost(estimate,
                                             {.input_per_million = dearest.input,
                                              .output_per_million = dearest.output,
                                              .request = units.value_or(dearest.request)});
    }
    return estimate;
}

// At the dearest of the targets that it may reach, so that no turn it takes is beyond the hold.
Result<void> Pipeline::reserve(Call& call) {
    quota::HoldEstimate most = estimate_at(call, call.choice);
    for (const router::Target* target : call.runtime().catalog.candidates(call.resolved)) {
        if (target == call.choice.target || !way_to(call, *target)) {
            continue;
        }
        const auto other = estimate_at(call, call.runtime().catalog.choice(call.resolved, *target));
        most.input_tokens = std::max(most.input_tokens, other.input_tokens);
        most.output_tokens = std::max(most.output_tokens, other.output_tokens);
        most.cost = most.cost && other.cost ? std::max(*most.cost, *other.cost)
                    : most.cost             ? most.cost
                                            : other.cost;
    }
    WEIR_TRY(call.hold, call.runtime().limits.hold(most));
    return {};
}

aio::Task<void> Pipeline::list_models(net::ServerCall& http,
                                      llm::Dialect dialect,
                                      std::string_view id) {
    Call call(http, generation_, {.dialect = dialect}, "models", services_.clock);
    const std::string wanted(id);
    const auto outcome = co_await run_models(call, wanted);
    if (!outcome) {
        settle_failed(call, outcome.error());
        co_await send_error(call, outcome.error(), {});
    }
    observe(call);
}

aio::Task<Result<void>> Pipeline::run_models(Call& call, std::string_view id) {
    // The same door as for calls that cost something.
    WEIR_CO_TRY(call.runtime().limits.check_address(call.http.client().bytes,
                                                    services_.clock.steady_now()));
    WEIR_CO_TRY(co_await identify(call));
    WEIR_CO_TRY(enter(call));
    const std::int64_t created = micros(services_.started_at) / 1'000'000;
    std::string body;
    if (id.empty()) {
        std::vector<std::string_view> ids;
        for (const router::Model& model : call.runtime().catalog.models()) {
            if (!may_use_any_target(call, model)) {
                continue;
            }
            const auto offer = [&](const std::string& name) {
                if (!name.empty() && call.who->may_use_model(name)) {
                    ids.push_back(name);
                }
            };
            offer(model.name);
            std::for_each(model.aliases.begin(), model.aliases.end(), offer);
        }
        body = call.client.encode_models(ids, created);
    } else {
        WEIR_CO_TRY(const auto found, call.runtime().catalog.resolve(id));
        if (!call.who->may_use_model(id) || !may_use_any_target(call, *found.model)) {
            co_return fail(Code::model_not_found,
                           fmt::format("There is no model '{}' for this API key.", id))
                .parameter("model");
        }
        body = call.client.encode_model(id, created);
    }
    const std::string_view pieces[] = {body};
    co_return co_await send_whole(call, 200, "application/json", pieces);
}

aio::Task<void> Pipeline::refuse(net::ServerCall& http,
                                 llm::Dialect dialect,
                                 const Error& error,
                                 std::string_view allow,
                                 bool head_is_good) {
    if (!head_is_good) {
        http.close_after();
    }
    Call call(http, generation_, {.dialect = dialect}, "other", services_.clock, head_is_good);
    settle_failed(call, error);
    co_await send_error(call, error, allow);
    observe(call);
}

aio::Task<void> Pipeline::answer(net::ServerCall& http, int status, std::string_view body) {
    Call call(http, generation_, {}, "admin", services_.clock);
    const std::string_view pieces[] = {body};
    const auto sent = co_await send_whole(call, status, "application/json", pieces);
    if (!sent) {
        settle_failed(call, sent.error());
    }
    observe(call);
}

aio::Task<void> Pipeline::probe_providers() {
    Prober prober(generation_, services_.clock, services_.log, fresh_seed());
    aio::Wake wake = aio::Wake::none;
    while (wake != aio::Wake::cancelled) {
        const auto pause = prober.tick() ? kProbeTick : kNoProbeTick;
        wake = co_await aio::sleep(aio::Deadline::in(pause));
    }
    co_await prober.stop();
}

void Pipeline::reap_connections() {
    const SteadyTime now = services_.clock.steady_now();
    for (const auto& pool : generation_->pools) {
        pool->reap(now);
    }
}

}  // namespace weir::pipeline
