// The built-in provider: OpenAI-shaped chat (plain and SSE), embeddings and models over real HTTP,
// for tests, benches and first steps. Answers any model name. It counts what it served: the truth
// that a ledger is compared with. Runs on one reactor thread.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "aio/channel.h"
#include "base/random.h"
#include "net/server.h"
#include "simulate/answer.h"
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
    class Slot;

    aio::Task<void> chat(net::ServerCall& call);
    aio::Task<void> embeddings(net::ServerCall& call);
    aio::Task<void> models(net::ServerCall& call, std::string_view id);
    aio::Task<void> plain(
        net::ServerCall& call, Prompt prompt, Answer answer, Failure failure, bool cached);
    aio::Task<void> stream(
        net::ServerCall& call, Prompt prompt, Answer answer, Failure failure, bool cached);
    // true: the caller is still there.
    aio::Task<bool> pause(std::chrono::nanoseconds length);
    aio::Task<bool> take_slot();
    void free_slot();
    aio::Task<void> respond(net::ServerCall& call, int status, std::string body);
    aio::Task<void> respond_error(net::ServerCall& call, int status, std::string_view message);
    Failure pick_failure(std::string_view header);
    bool meets_cache(const Prompt& prompt);
    std::chrono::nanoseconds token_pause();

    SimulatorOptions options_;
    Random random_;
    Stats stats_;
    std::size_t busy_ = 0;
    std::size_t waiting_ = 0;
    std::uint64_t next_id_ = 0;
    std::unordered_map<std::uint64_t, bool> seen_prefixes_;
};

}  // namespace weir::simulate
