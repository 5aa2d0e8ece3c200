// One call on its way through the pipeline: what the steps learn and hand on. Lives in the frame of
// Pipeline::serve, on one thread.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/error.h"
#include "base/id.h"
#include "base/money.h"
#include "base/text.h"
#include "dialect/edge.h"
#include "llm/names.h"
#include "llm/usage.h"
#include "net/server.h"
#include "obs/trace.h"
#include "pipeline/door.h"
#include "pipeline/generation.h"
#include "pipeline/retry.h"
#include "pipeline/upload.h"
#include "pipeline/wishes.h"
#include "provider/provider.h"
#include "quota/limits.h"
#include "resilience/chaos.h"
#include "resilience/target.h"
#include "router/catalog.h"

namespace weir::pipeline {

// A client's own request id is echoed and logged; more than this of it is nobody's id.
inline constexpr std::size_t kClientRequestIdBytesMax = 128;

class Keepalive;

// A step of the plan that is not taken again. More tries than a call may have are never reached.
inline constexpr std::uint8_t kTriesMax = 16;
inline constexpr std::uint8_t kNeverAgain = 0xff;

// Where a call may go, and how often it went.
struct Step {
    const router::Target* target = nullptr;
    std::uint8_t tries = 0;

    void failed(Next next) {
        tries = next == Next::other_target
                    ? kNeverAgain
                    : static_cast<std::uint8_t>(std::min<int>(tries + 1, kTriesMax));
    }
};

// What is sent to a provider, and what comes of it.
struct Attempt {
    resilience::Target* state = nullptr;  // of the target, as all calls share it; null: none chosen
    std::size_t step = 0;                 // of the plan
    resilience::Pass pass = resilience::Pass::no;
    std::size_t credential = 0;  // of the provider
    resilience::Ticket ticket;   // its place among the target's calls

    bool sent = false;  // bytes reached the wire: the provider may have worked
    SteadyTime begun{};
    SteadyTime ended{};
    int status = 0;                   // HTTP; 0: no answer
    std::optional<Code> failure;      // none: it is well
    std::string_view outcome = "ok";  // or the name of the failure
    std::chrono::nanoseconds retry_after{0};
    std::unique_ptr<const resilience::Fault> fault;  // on purpose; null: none
    std::uint32_t chunks = 0;                        // of a stream, for the fault
    std::chrono::nanoseconds waited{0};              // for the provider, of the time the call took
    bool is_concluded = false;                       // all who must know do

    void fail(const Error& error) {
        failure = error.code();
        outcome = name(error.code());
        retry_after = error.retry_after().value_or(std::chrono::milliseconds{0});
    }
};

// An attempt that another followed, for the ledger.
struct PastAttempt {
    std::string_view provider;
    std::string_view model;
    std::string_view outcome;
    int status = 0;
    bool was_sent = false;
    SteadyTime begun{};
    SteadyTime ended{};
    // Of one that was overtaken by another; else nothing was used.
    std::optional<llm::Usage> usage = {};
    std::optional<Money> cost = {};
};

// For a second attempt beside the first.
struct Beside {};

struct Call {
    // `head_is_good` false: the bytes were no request, nothing of them is read.
    Call(net::ServerCall& server_call,
         std::shared_ptr<Generation> begun_with,
         Door which,
         std::string_view surface_label,
         const Clock& clock,
         bool head_is_good = true);
    // The same call on another way, until its first token: what is one attempt's is its own, the
    // rest is as `first` has it. It is never settled, and lives within `first`.
    Call(Beside, const Call& first);
    Call(const Call&) = delete;

    std::string_view id_text() const { return {id_characters.data(), id_characters.size()}; }

    const runtime::Runtime& runtime() const { return *generation->runtime; }

    net::ServerCall& http;
    const std::shared_ptr<Generation> generation;
    const Door door;
    const dialect::ClientEdge& client;
    const std::string_view label;  // "chat", "embeddings", "models": for logs and metrics

    // 1 context
    const WallTime started_at;
    const Uuid id;
    std::array<char, kUuidTextSize> id_characters;
    const SteadyTime begun;
    obs::TraceContext trace;
    std::string client_request_id;
    FixedText<64> path;  // for the access log only
    FixedText<16> method;
    bool is_head = false;  // the answer has no body

    // 3 identify, 4 admit
    auth::IdentityRef who;  // null until identified
    quota::Slot slot;
    resilience::Ticket place;        // among all calls of the gateway
    std::unique_ptr<Upload> upload;  // where the body is a form; else null
    std::optional<dialect::Request> request;
    // Once it is translated, until the provider answers; else null.
    std::unique_ptr<llm::Call> asked;
    Wishes wishes;
    std::string_view asked_model;  // what the client called it, or the default
    router::Resolved resolved;
    std::optional<std::size_t> pinned;      // the only provider that it may go to
    std::optional<std::size_t> pinned_key;  // of that provider, the only one to use there
    // The keys that it may not use: a bit for each.
    std::uint64_t other_keys() const {
        return pinned_key ? ~(std::uint64_t{1} << *pinned_key) : std::uint64_t{0};
    }
    bool is_counted_here = false;  // count_tokens, of a provider that does not count
    std::uint64_t body_bytes = 0;
    quota::Hold hold;
    quota::Hold hedge_hold;  // for the attempt beside the first

    // 7 plan: best first
    std::vector<Step> plan;

    // 8 attempt: where the call is now; before the first one, where it could go
    router::Choice choice;
    const provider::Provider* provider = nullptr;
    provider::Way way;
    aio::Deadline total = aio::Deadline::never();  // for all attempts together
    std::vector<PastAttempt> past;
    std::string chaos_name;                   // of the last fault on purpose; empty: none
    std::chrono::nanoseconds past_waited{0};  // in past attempts and between them
    Keepalive* keepalive = nullptr;           // of a stream that has not begun; null: none
    bool is_kept_alive = false;               // the client was told so, and of nothing else yet
    bool has_fetched = false;                 // somebody was asked for a file that the client named
    std::chrono::nanoseconds fetching{0};     // how long that took
    const bool is_beside = false;             // made beside another
    std::vector<std::string> dropped;         // fields that the provider's dialect has no word for
    Attempt attempt;
    std::optional<SteadyTime> first_token_at;

    // 10 settle
    bool opened = false;   // in the ledger: must be settled
    bool settled = false;  // and was
    SteadyTime settled_at{};
    int status = 0;  // of our answer
    std::string_view code = "ok";
    Fault fault = Fault::client;  // where the code is not ok
    std::optional<llm::Usage> usage;
    std::optional<Money> cost;
    std::string limit_rule;  // that refused it

    // What Weir added: all but the waiting for the provider and for files of the client's; of a
    // stream, until its first token.
    std::chrono::nanoseconds overhead(SteadyTime now) const {
        return first_token_at.value_or(now) - begun - past_waited - attempt.waited - fetching;
    }
    // Whether the caller sees who answered.
    bool exposes_upstream() const {
        return (resolved.model != nullptr && resolved.model->expose_upstream) ||
               (who != nullptr && who->key().may_pin);
    }
    // What the provider's answer must say in the place of its own name for the model; empty: that
    // stays.
    std::string_view public_model() const {
        return asked_model == choice.upstream_model || exposes_upstream() ? std::string_view{}
                                                                          : asked_model;
    }
    // A translated answer is written anew, its name too.
    std::string_view answer_model() const {
        return exposes_upstream() ? choice.upstream_model : asked_model;
    }
    dialect::AnswerTerms answer_terms() const {
        return {.model = way.is_translated ? answer_model() : public_model(),
                .request_id = id_text(),
                .created = micros(started_at) / 1'000'000,
                .include_usage = request->include_usage,
                .as_json_array = door.as_json_array};
    }
    // Where a translated call goes.
    dialect::Target target() const { return target_at(choice); }
    dialect::Target target_at(const router::Choice& at) const;
    // The model's label in metrics: what is no configured model is `other`.
    std::string_view model_label() const {
        return resolved.model != nullptr && !resolved.model->name.empty()
                   ? std::string_view(resolved.model->name)
                   : "other";
    }
    // A provider was asked, or would have been but for what stands between (a connection, a fault
    // on purpose).
    bool was_tried() const { return !past.empty() || attempt.begun != SteadyTime{}; }
    // The attempt as it is remembered when another follows.
    PastAttempt past_attempt() const {
        return {.provider = provider->name(),
                .model = choice.upstream_model,
                .outcome = attempt.outcome,
                .status = attempt.status,
                .was_sent = attempt.sent,
                .begun = attempt.begun,
                .ended = attempt.ended};
    }
    // Requests that providers got for it.
    std::uint64_t attempts_sent() const {
        return static_cast<std::uint64_t>(std::count_if(
                   past.begin(), past.end(), [](const PastAttempt& one) { return one.was_sent; })) +
               (attempt.sent ? 1 : 0);
    }
    std::string_view provider_label() const {
        return provider != nullptr ? std::string_view(provider->name()) : "none";
    }
};

}  // namespace weir::pipeline
