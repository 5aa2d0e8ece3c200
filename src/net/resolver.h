// Names to addresses by getaddrinfo on a blocking pool, cached for all threads. getaddrinfo tells
// no TTL: an answer is fresh for kFresh, stale ones are served while one lookup refreshes them, and
// dropped after kStale. Literal addresses need no lookup.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "aio/blocking_pool.h"
#include "aio/task.h"
#include "base/clock.h"
#include "base/error.h"
#include "net/address.h"

namespace weir::net {

using Addresses = std::shared_ptr<const std::vector<IpAddress>>;

class Resolver {
public:
    static constexpr std::chrono::seconds kFresh{30};
    static constexpr std::chrono::seconds kStale{600};
    static constexpr std::size_t kNamesMax = 1024;  // configured hosts, not what clients name

    explicit Resolver(aio::BlockingPool& pool) : pool_(pool) {}

    // At least one address; fails with upstream_unavailable. Any reactor thread.
    aio::Maybe<Result<Addresses>> resolve(const std::string& host, aio::Deadline deadline);

private:
    struct Entry {
        Addresses addresses;
        SteadyTime looked_up;
        bool refreshing = false;
    };
    aio::Task<Result<Addresses>> look_up(std::string host, aio::Deadline deadline);
    void remember(const std::string& host, const Result<Addresses>& found);

    aio::BlockingPool& pool_;
    std::mutex lock_;
    std::unordered_map<std::string, Entry> entries_;  // guarded by lock_
};

}  // namespace weir::net
