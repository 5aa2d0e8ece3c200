// The story of a call, for one call thread: the ten steps of DESIGN section 4, in pipeline.cpp from
// top to bottom. One way in: every surface passes the same admission. All members are used on the
// thread's reactor only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aio/blocking_pool.h"
#include "aio/scope.h"
#include "aio/task.h"
#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/random.h"
#include "dialect/edge.h"
#include "dialect/json/scanner.h"
#include "dialect/json/splice.h"
#include "ledger/ledger.h"
#include "net/fetch.h"
#include "net/server.h"
#include "net/upstream.h"
#include "obs/access_log.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "pipeline/call.h"
#include "pipeline/door.h"
#include "pipeline/generation.h"
#include "pipeline/kept_ids.h"
#include "pipeline/pass_relay.h"
#include "pipeline/prober.h"
#include "pipeline/relay.h"
#include "resilience/admission.h"
#include "resilience/pressure.h"
#include "router/plan.h"
#include "runtime/runtime.h"

namespace weir::pipeline {

// DESIGN section 11. Images come inline, in both directions.
inline constexpr std::size_t kRequestBodyBytesMax = 32u << 20;
inline constexpr std::size_t kAnswerBytesMax = 64u << 20;
// Of a provider's error: more than this is no message.
inline constexpr std::size_t kErrorBodyBytesMax = 64u << 10;

// What all call threads share; outlives them.
struct Services {
    const Clock& clock;
    auth::Authenticator& authenticator;
    ledger::Ledger& ledger;
    obs::Metrics& metrics;
    obs::AccessLog& access_log;
    obs::Log& log;
    aio::BlockingPool& pool;
    KeptIds& kept_ids;
    router::PrefixTable& prefixes;
    const resilience::Pressure& pressure;
    resilience::Admission& in_flight;  // calls of the whole gateway
    WallTime started_at;               // of the process: models are as old
};

// A call about what a provider keeps.
struct Kept {
    std::string_view method;  // as it goes out: GET, POST, DELETE
    net::Method net_method = net::Method::get;
    std::string id;
    std::string rest;  // behind the id: "/cancel", "/input_items?limit=5"
};

class Pipeline {
public:
    Pipeline(unsigned thread,
             std::shared_ptr<const runtime::Runtime> runtime,
             const Services& services);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;

    // Calls that begin from now on follow this one. Connections to upstreams that both have are
    // kept.
    void adopt(std::shared_ptr<const runtime::Runtime> runtime);

    // A call, from its head to its last byte.
    aio::Task<void> serve(net::ServerCall& http, Door door);
    // GET /v1/models and /v1/models/{id} (`id` empty: the list), in the shape of `dialect`.
    aio::Task<void> list_models(net::ServerCall& http, llm::Dialect dialect, std::string_view id);
    // GET and DELETE /v1/responses/{id}, POST …/cancel, GET …/input_items: at the provider that
    // keeps it.
    aio::Task<void> serve_kept(net::ServerCall& http, Kept kept);
    // What is no call: an unknown path, a wrong method (`allow`: the right ones), a bad head
    // (`head_is_good` false).
    aio::Task<void> refuse(net::ServerCall& http,
                           llm::Dialect dialect,
                           const Error& error,
                           std::string_view allow,
                           bool head_is_good);

    // An answer of the admin API: JSON with the heads and records that all answers have.
    aio::Task<void> answer(net::ServerCall& http, int status, std::string_view body);

    // Step 3 for the admin API: throttles guesses of this address.
    Result<void> check_guesses(const net::IpAddress& address);
    void count_guess(const net::IpAddress& address);

    // Asks providers how they are, until it is cancelled. One thread's pipeline is enough for all.
    aio::Task<void> probe_providers();
    // Closes what is idle; every few seconds.
    void reap_connections();
    // Before the reactor ends.
    void close_connections() { generation_->pools.clear(); }

private:
    aio::Task<Result<void>> run(Call& call);
    // A call that is cancelled while its client is there was ended by the drain: that has a name.
    static Error reason_of_end(const aio::Context& context,
                               const net::ServerCall& http,
                               Error error);
    aio::Task<Result<void>> run_models(Call& call, std::string_view id);

    // pipeline.cpp: steps 2 to 4
    aio::Maybe<Result<void>> identify(Call& call);
    aio::Task<Result<void>> look_up(Call& call, std::string credential);
    Result<void> enter(Call& call);
    aio::Maybe<Result<void>> find_place(Call& call);
    aio::Task<Result<void>> wait_for_place(Call& call);
    Result<void> decode(Call& call, std::string_view body);
    static Result<void> understand(Call& call, std::string_view body);
    static quota::HoldEstimate estimate_at(const Call& call, const router::Choice& choice);
    Result<void> reserve(Call& call);

    // upload.cpp
    aio::Task<Result<void>> read_upload(Call& call);
    static void append_body_fields(const Call& call, std::size_t bytes, std::string& head);
    aio::Task<Result<void>> send_upload(Call& call,
                                        net::Exchange& exchange,
                                        net::Pieces request,
                                        const net::Timing& timing);

    // passing.cpp: surfaces that pass through
    // What the call may use; where the provider does not say, what it is said to have used.
    static llm::Usage foresee(const Call& call);
    Result<void> pass_other_answer(Call& call,
                                   std::string_view body,
                                   dialect::json::Splice& splice);
    aio::Task<Result<void>> relay_passing(Call& call, net::Exchange& exchange);
    aio::Task<Result<void>> relay_bytes(Call& call, net::Exchange& exchange, std::string type);

    // count_tokens.cpp
    aio::Task<Result<void>> count_tokens(Call& call, std::string_view body);
    aio::Task<Result<void>> ask_for_count(Call& call, std::string_view body);
    static Result<void> translate_count(Call& call,
                                        std::string_view body,
                                        dialect::json::Splice& splice);

    // kept.cpp
    void keep_ids(Call& call, const MadeIds& ids);
    aio::Task<Result<void>> check_kept(Call& call);
    aio::Task<Result<void>> run_kept(Call& call, const Kept& kept);

    // attempts.cpp: steps 7 and 8
    enum class Picked : std::uint8_t { nothing, full, target };
    static std::optional<provider::Way> way_to(const Call& call, const router::Target& target);
    static void head_for(Call& call, const router::Target& target, const provider::Way& way);
    static Result<void> pin(Call& call);
    static bool pin_to(Call& call, std::string_view provider);
    static bool pin_to_key(Call& call, std::string_view name);
    static bool may_pass_somewhere(const Call& call);
    static bool may_use_any_target(const Call& call, const router::Model& model);
    static Result<void> find_route(Call& call);
    Result<void> plan(Call& call, std::string_view body);
    static router::Load load_of(const Call& call, const router::Target& target, SteadyTime now);
    void plan_among_many(Call& call, std::string_view body, bool is_too_long);
    bool plan_larger(Call& call, std::string_view body);
    static bool has_answered(const Call& call);
    Picked pick(Call& call, SteadyTime now);
    Picked take(Call& call,
                std::size_t index,
                SteadyTime now,
                std::optional<resilience::Ticket> place);
    aio::Task<Result<void>> wait_for_room(Call& call);
    aio::Maybe<Result<void>> take_target(Call& call);
    Failure nowhere(const Call& call, SteadyTime now) const;
    void conclude(Call& call);
    static void put_aside(Call& call);
    static bool has_alternative(const Call& call, const Attempt& last, SteadyTime now);
    std::unexpected<Error> written_down(Call& call, Error error);
    void log_attempt(const Call& call, const Error& error);
    aio::Task<Result<void>> make_attempts(Call& call, std::string_view body);
    aio::Task<Result<void>> attempt_until_done(Call& call, std::string_view body);

    // hedge.cpp: two attempts at a stream's first token
    struct Racer;
    struct Race;
    static std::optional<std::chrono::nanoseconds> hedge_after(const Call& call);
    aio::Task<Result<void>> attempt_hedged(Call& call,
                                           std::string_view body,
                                           std::chrono::nanoseconds delay);
    static aio::Task<bool> race(aio::Scope& scope,
                                Pipeline* self,
                                Race* race,
                                std::string_view body,
                                std::chrono::nanoseconds delay);
    static aio::Task<void> ring(aio::Deadline at, Race* race);
    aio::Task<void> run(Racer* racer, std::string_view body, Race* race);
    bool begin_second(Race& race);
    void fall_behind(Call& call, Racer& loser);
    static void go_over(Call& call, Call& second);

    // chaos.cpp
    void tempt_fate(Call& call);
    aio::Task<Result<void>> suffer(Call& call, aio::Deadline first);
    static aio::Task<Result<std::string_view>> spoil(Attempt& attempt,
                                                     std::string_view bytes,
                                                     std::string& scratch);
    static Result<void> distort(const resilience::Fault& fault,
                                std::uint32_t chunk,
                                std::string_view& bytes,
                                std::string& scratch);

    // attempt.cpp: one of them
    aio::Task<Result<void>> attempt(Call& call, std::string_view body);
    aio::Task<Result<void>> ask(Call& call, std::string_view body, net::Exchange& exchange);
    static const dialect::ProviderEdge& provider_edge(const Call& call);
    aio::Maybe<Result<std::string>> translate(Call& call, std::string_view body);
    static Result<std::string> encode(Call& call, const llm::Call& asked);
    aio::Task<Error> read_refusal(Call& call, net::Exchange& exchange);
    aio::Task<Error> read_whole_instead(Call& call, net::Exchange& exchange);
    aio::Task<std::string> read_words(net::Exchange& exchange);

    // fetch.cpp: what the provider does not get by itself
    static bool needs_files(const Call& call, llm::Call& asked);
    aio::Task<Result<std::string>> fetch_and_encode(Call& call, llm::Call asked);
    aio::Task<Result<void>> inline_media(Call& call, llm::Call& asked);
    Result<void> hold_files(Call& call, std::uint64_t bytes);
    Result<void> put_inline(Call& call,
                            const llm::Call& asked,
                            std::span<llm::Media* const> files,
                            const std::vector<std::string>& urls,
                            const std::vector<net::Fetched>& fetched);

    // answer.cpp and stream.cpp: step 9
    aio::Task<Result<void>> relay_answer(Call& call, net::Exchange& exchange);
    Result<void> pass_answer(Call& call, std::string_view body, dialect::json::Splice& splice);
    Result<void> translate_answer(Call& call, std::string_view body, dialect::json::Splice& splice);
    Result<void> translate_vectors(Call& call,
                                   std::string_view body,
                                   dialect::json::Splice& splice);
    static llm::Usage estimate_usage(const Call& call, std::uint64_t text_bytes);
    // What a stream has begun with.
    struct Start {
        std::string out;        // for the client
        Result<void> taken{};   // or what came in the place of more
        SteadyTime token_at{};  // the last bytes came
    };
    static Result<void> feed(Relay& relay,
                             const net::Exchange& exchange,
                             Result<std::string_view> bytes,
                             std::string& out);
    static Result<void> commit(Call& call, net::Exchange& exchange, SteadyTime now);
    aio::Task<void> await_token(Call& call, net::Exchange& exchange, Relay& relay, Start& start);
    aio::Task<Result<void>> relay_stream(Call& call,
                                         net::Exchange& exchange,
                                         Relay& relay,
                                         Start* start);
    std::unique_ptr<Relay> make_relay(const Call& call);
    friend class Keepalive;
    void begin_stream_head(Call& call);
    aio::Maybe<net::Io> send_chunk(Call& call, std::string_view payload, bool is_last);
    aio::Maybe<net::Io> write_chunk(net::ServerCall& http, std::string_view payload, bool is_last);
    aio::Task<bool> say_alive(Call& call, std::string_view words);
    aio::Maybe<bool> quiet(Call& call);
    aio::Task<bool> quiet_slowly(Keepalive& keepalive);
    aio::Task<void> send_stream_error(Call& call, const Error& error);

    // settle.cpp: step 10
    static std::optional<Money> cost_of(const Call& call);
    Result<void> open(Call& call);
    void settle(Call& call);
    void settle_failed(Call& call, const Error& error);
    void observe(Call& call);

    // reply.cpp
    void begin_head(Call& call, int status);
    aio::Task<Result<void>> send_whole(Call& call,
                                       int status,
                                       std::string_view type,
                                       net::Pieces body);
    aio::Task<void> send_error(Call& call, const Error& error, std::string_view allow);

    // A request on its way to a provider: its head, and all of it in pieces. Used again and again.
    struct Outgoing {
        std::string head;
        std::vector<std::string_view> pieces;
    };
    std::unique_ptr<Outgoing> take_outgoing();
    void give_back(std::unique_ptr<Outgoing> outgoing);

    const unsigned thread_;
    const Services& services_;
    std::shared_ptr<Generation> generation_;           // of calls that begin now
    std::vector<std::unique_ptr<Outgoing>> outgoing_;  // free ones
    Random random_;
    // Scratch of the thread: used between two suspensions, never across one.
    StreamScratch scratch_;
    std::string head_;
    std::string out_;
    router::Plan planned_;
    router::PrefixHashes prefix_;
    std::vector<std::string_view> pieces_;    // of a body
    std::vector<std::string_view> gathered_;  // of an answer: its head and body
};

}  // namespace weir::pipeline
