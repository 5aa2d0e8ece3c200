// The built-in provider: all four dialects over real HTTP (whole and streamed, tools, thinking,
// JSON), embeddings in two forms, and models, for tests, benches and first steps. Answers any model
// name; what it says is told in compose.h. It counts what it served: the truth that a ledger is
// compared with. Runs on one reactor thread.
#pragma once

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "dialect/edge.h"
#include "net/server.h"
#include "simulate/compose.h"
#include "simulate/door.h"
#include "simulate/failure.h"

namespace weir::simulate {

struct SimulatorOptions {
    std::uint64_t seed = 1;
    double tokens_per_second = 0;  // 0: as fast as it can
    std::chrono::milliseconds first_token{0};
    double jitter = 0;      // share by which each pause varies, both ways
    std::size_t slots = 0;  // calls at once; 0: no limit
    std::size_t queue = 0;  // calls that wait for a slot; more are answered 429
    std::vector<FailureRate> failures;
    std::size_t cache_prefix_bytes =
        0;  // a prompt whose first bytes were seen answers ten times sooner
};

inline constexpr std::string_view kSimulatedModels[] = {"sim-small", "sim-large", "sim-embed"};

class Simulator final : public net::Handler {
public:
    explicit Simulator(SimulatorOptions options);

    aio::Task<void> handle(net::ServerCall& call) override;
    aio::Task<void> refuse(net::ServerCall& call, const Error& error) override;

private:
    struct Stats {
        std::uint64_t calls = 0;      // inference calls that began
        std::uint64_t completed = 0;  // whole answers that left
        std::uint64_t aborted = 0;    // the caller left, or a forced cut
        std::uint64_t tokens = 0;     // output tokens sent
    };
    // Holds one of the slots; frees it on every way out.
    class Slot {
    public:
        explicit Slot(Simulator& simulator) : simulator_(simulator) {}
        Slot(const Slot&) = delete;
        ~Slot() { simulator_.free_slot(); }

    private:
        Simulator& simulator_;
    };
    // One call to the model, and how it is answered.
    struct Play {
        Door door;
        const dialect::ClientEdge& client;
        dialect::Request request;
        Composition made;
        Failure failure;
        bool from_cache = false;
        std::string id;
        dialect::AnswerTerms terms;
    };

    // generation.cpp
    aio::Task<void> generate(net::ServerCall& call, Door door);
    aio::Task<void> count_tokens(net::ServerCall& call, Door door);
    aio::Task<void> plain(net::ServerCall& call, Play& play);
    aio::Task<void> stream(net::ServerCall& call, Play& play);
    // Counts as called; true: a slot was taken, and nothing stands in the way of an answer.
    aio::Task<bool> begin(net::ServerCall& call, const Door& door, const Failure& failure);

    // Keeps an answer of the Responses, as OpenAI does.
    void keep(const Play& play);
    aio::Task<void> kept(net::ServerCall& call, std::string_view id);
    aio::Task<void> embeddings(net::ServerCall& call, Door door);
    // What other_surfaces.h answers.
    aio::Task<void> others(net::ServerCall& call, Door door);
    aio::Task<void> models(net::ServerCall& call, std::string_view id);
    // true: the caller is still there.
    aio::Task<bool> pause(std::chrono::nanoseconds length);
    aio::Task<bool> take_slot();
    void free_slot();
    aio::Task<void> respond(net::ServerCall& call, int status, std::string body);
    aio::Task<void> respond_error(net::ServerCall& call,
                                  llm::Dialect dialect,
                                  int status,
                                  std::string message);
    Failure pick_failure(std::string_view header);
    bool meets_cache(std::string_view prompt);
    std::chrono::nanoseconds token_pause();

    SimulatorOptions options_;
    Random random_;
    Stats stats_;
    std::size_t busy_ = 0;
    std::size_t waiting_ = 0;
    std::uint64_t next_id_ = 0;
    std::unordered_map<std::uint64_t, bool> seen_prefixes_;
    std::unordered_map<std::string, std::string> kept_;  // answers of the Responses, by their ids
};

}  // namespace weir::simulate
