#include "net/resolver.h"

#include <netdb.h>

namespace weir::net {
namespace {

Result<Addresses> look_up_now(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (result != 0) {
        return fail(Code::upstream_unavailable,
                    "The model provider cannot be reached; try again shortly.")
            .detail("resolving " + host + ": " + ::gai_strerror(result));
    }
    auto addresses = std::make_shared<std::vector<IpAddress>>();
    for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
        SocketAddress address;
        std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
        addresses->push_back(address.ip());
    }
    ::freeaddrinfo(found);
    return Addresses(std::move(addresses));
}

}  // namespace

aio::Maybe<Result<Addresses>> Resolver::resolve(const std::string& host, aio::Deadline deadline) {
    if (const auto literal = parse_ip(host)) {
        return Result<Addresses>(std::make_shared<const std::vector<IpAddress>>(1, *literal));
    }
    const SteadyTime now = aio::Reactor::current().now();
    {
        const std::lock_guard guard(lock_);
        const auto found = entries_.find(host);
        if (found != entries_.end() && now - found->second.looked_up < kStale) {
            Entry& entry = found->second;
            if (now - entry.looked_up >= kFresh && !entry.refreshing) {
                entry.refreshing =
                    pool_.submit([this, host] { remember(host, look_up_now(host)); });
            }
            return Result<Addresses>(entry.addresses);
        }
    }
    return look_up(host, deadline);
}

aio::Task<Result<Addresses>> Resolver::look_up(std::string host, aio::Deadline deadline) {
    auto found = co_await pool_.run([host] { return look_up_now(host); }, deadline);
    remember(host, found);
    co_return found;
}

void Resolver::remember(const std::string& host, const Result<Addresses>& found) {
    const SteadyTime now = std::chrono::steady_clock::now();
    const std::lock_guard guard(lock_);
    if (!found) {
        const auto entry = entries_.find(host);
        if (entry != entries_.end()) {
            entry->second.refreshing =
                false;  // the stale answer serves on; the next call tries again
        }
        return;
    }
    if (entries_.size() >= kNamesMax && !entries_.contains(host)) {
        entries_.erase(entries_.begin());
    }
    entries_[host] = Entry{.addresses = *found, .looked_up = now};
}

}  // namespace weir::net
