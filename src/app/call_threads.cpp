#include "app/call_threads.h"

#include <fmt/format.h>
#include <pthread.h>

#include <condition_variable>
#include <mutex>

namespace weir::app {
namespace {

constexpr std::chrono::seconds kReapInterval{2};
// A call thread that takes longer for a turn of its loop has other troubles.
constexpr std::chrono::seconds kAdoptMax{5};

// Shared by who waits and who is waited for: either may be gone first.
class Countdown {
public:
    explicit Countdown(std::size_t count) : count_(count) {}
    void count_down() {
        const std::lock_guard guard(lock_);
        if (--count_ == 0) {
            done_.notify_all();
        }
    }
    bool wait_for(std::chrono::nanoseconds most) {
        std::unique_lock guard(lock_);
        return done_.wait_for(guard, most, [this] { return count_ == 0; });
    }

private:
    std::mutex lock_;
    std::condition_variable done_;
    std::size_t count_;  // guarded by lock_
};

aio::Task<void> reap_loop(pipeline::Pipeline* pipeline) {
    for (;;) {
        const aio::Wake wake = co_await aio::sleep(aio::Deadline::in(kReapInterval));
        if (wake == aio::Wake::cancelled) {
            co_return;
        }
        pipeline->reap_connections();
    }
}

}  // namespace

CallThreads::CallThreads(unsigned count,
                         const std::shared_ptr<const runtime::Runtime>& runtime,
                         const pipeline::Services& services,
                         admin::Api& api,
                         const auth::AdminKey& admin_key,
                         aio::BlockingPool& pool) {
    std::vector<aio::Reactor*> reactors;
    std::vector<net::Handler*> handlers;
    for (unsigned i = 0; i < count; ++i) {
        auto worker = std::make_unique<Worker>();
        worker->pipeline = std::make_unique<pipeline::Pipeline>(i, runtime, services);
        worker->edge = std::make_unique<server::Edge>(
            *worker->pipeline, api, admin_key, services.authenticator, pool);
        reactors.push_back(&worker->reactor);
        handlers.push_back(worker->edge.get());
        workers_.push_back(std::move(worker));
    }
    server_ = std::make_unique<net::Server>(net::ServerOptions{}, reactors, handlers);
}

CallThreads::~CallThreads() { stop(std::chrono::nanoseconds{0}); }

Result<void> CallThreads::open(net::Door door) { return server_->open(std::move(door)); }

void CallThreads::start() {
    for (unsigned i = 0; i < workers_.size(); ++i) {
        workers_[i]->thread = std::thread([this, i] {
            ::pthread_setname_np(::pthread_self(), fmt::format("weir-call-{}", i).c_str());
            workers_[i]->reactor.run(work(i));
        });
    }
}

bool CallThreads::adopt(const std::shared_ptr<const runtime::Runtime>& runtime) {
    auto left = std::make_shared<Countdown>(workers_.size());
    for (const auto& worker : workers_) {
        worker->reactor.post([pipeline = worker->pipeline.get(), runtime, left] {
            pipeline->adopt(runtime);
            left->count_down();
        });
    }
    return left->wait_for(kAdoptMax);
}

aio::Task<void> CallThreads::work(unsigned index) {
    Worker& worker = *workers_[index];
    aio::Scope background;
    background.spawn(reap_loop(worker.pipeline.get()));
    if (index == 0) {
        background.spawn(worker.pipeline->probe_providers());
    }
    co_await server_->serve(index);
    background.cancel();
    co_await background.join();
    worker.pipeline->close_connections();
}

void CallThreads::stop(std::chrono::nanoseconds grace) {
    if (!workers_.empty() && workers_.front()->thread.joinable()) {
        server_->drain(grace);
        for (const auto& worker : workers_) {
            worker->thread.join();
        }
    }
}

}  // namespace weir::app
