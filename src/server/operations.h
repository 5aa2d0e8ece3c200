// The operations listener: /metrics for Prometheus, /livez and /readyz for whoever starts and
// watches the process. On a thread of its own, so that a scrape never waits behind calls and calls
// never behind a scrape.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "net/server.h"
#include "obs/metrics.h"

namespace weir::server {

class Operations final : public net::Handler {
public:
    // `why_not_ready` says why no calls should come now; nullopt: they should. Called on the
    // listener's thread. All references outlive it.
    Operations(obs::Metrics& metrics, std::function<std::optional<std::string>()> why_not_ready)
        : metrics_(metrics), why_not_ready_(std::move(why_not_ready)) {}

    aio::Task<void> handle(net::ServerCall& call) override;
    aio::Task<void> refuse(net::ServerCall& call, const Error& error) override;

private:
    aio::Task<void> answer(net::ServerCall& call,
                           int status,
                           std::string_view type,
                           std::string body);

    obs::Metrics& metrics_;
    std::function<std::optional<std::string>()> why_not_ready_;
};

}  // namespace weir::server
