// The threads that carry calls: one reactor, pipeline and HTTP edge each, one server over all.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "admin/api.h"
#include "aio/blocking_pool.h"
#include "aio/reactor.h"
#include "net/server.h"
#include "pipeline/pipeline.h"
#include "server/edge.h"

namespace weir::app {

class CallThreads {
public:
    // All references outlive it.
    CallThreads(unsigned count,
                const std::shared_ptr<const runtime::Runtime>& runtime,
                const pipeline::Services& services,
                admin::Api& api,
                const auth::AdminKey& admin_key,
                aio::BlockingPool& pool);
    // stop() with no grace.
    ~CallThreads();
    CallThreads(const CallThreads&) = delete;

    // Before start(): what connects until then waits. Errors: overloaded.
    Result<void> open(net::Door door);
    void start();
    net::Server& server() { return *server_; }
    // Calls that begin once it returns follow this one. Blocks; any thread but theirs. false: a
    // thread did not take it over in time, or has ended.
    bool adopt(const std::shared_ptr<const runtime::Runtime>& runtime);
    std::size_t connections() const { return server_->connections(); }
    bool is_draining() const { return server_->is_draining(); }
    // Lets running calls end, cuts what is left after `grace`, joins.
    void stop(std::chrono::nanoseconds grace);

private:
    struct Worker {
        aio::Reactor reactor;
        std::unique_ptr<pipeline::Pipeline> pipeline;
        std::unique_ptr<server::Edge> edge;
        std::thread thread;
    };
    aio::Task<void> work(unsigned index);

    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<net::Server> server_;
};

}  // namespace weir::app
