#include "pipeline/prober.h"

#include <algorithm>

#include "net/upstream.h"

namespace weir::pipeline {
namespace {

// A list of models; more of it is not read, and the connection is given up.
constexpr std::size_t kAnswerBytesRead = 1u << 20;
// An answer that says nothing of the question but that somebody is there who can tell.
constexpr int kFirstBadStatus = 500;

resilience::ProbeRules rules_of(const provider::HealthSection& section) {
    return {.interval = section.interval,
            .unhealthy_after = static_cast<std::uint32_t>(section.unhealthy_after),
            .healthy_after = static_cast<std::uint32_t>(section.healthy_after)};
}

}  // namespace

bool Prober::tick() {
    const auto& providers = current_->runtime->providers;
    std::erase_if(probes_, [&](const auto& one) {
        return std::none_of(providers.begin(), providers.end(), [&](const auto& provider) {
            return provider->health() && provider->name() == one.first;
        });
    });
    for (std::size_t i = 0; i < providers.size(); ++i) {
        const auto& health = providers[i]->health();
        if (!health) {
            continue;
        }
        const auto rules = rules_of(*health);
        auto& probe = probes_.try_emplace(providers[i]->name(), rules).first->second;
        probe.change(rules);
        if (probe.begin(clock_.steady_now(), random_)) {
            asking_.spawn(this->probe(current_, i));
        }
    }
    return !probes_.empty();
}

aio::Task<void> Prober::stop() {
    asking_.cancel();
    co_await asking_.join();
}

// The configuration may change while it asks: whoever is not probed any more is left as he is.
aio::Task<void> Prober::probe(std::shared_ptr<Generation> generation, std::size_t provider) {
    const std::string name = generation->runtime->providers[provider]->name();
    const bool is_good = co_await ask(*generation, provider);
    const aio::Context& context = co_await aio::this_context();
    const auto& providers = current_->runtime->providers;
    const auto now = std::find_if(providers.begin(), providers.end(), [&name](const auto& one) {
        return one->name() == name && one->health();
    });
    const auto found = probes_.find(name);
    if (found == probes_.end() || now == providers.end() || context.is_cancelled()) {
        co_return;
    }
    const bool has_changed = found->second.record(is_good);
    const bool is_well = found->second.is_well();
    if (has_changed) {
        log_.warn(is_well ? "provider.back" : "provider.away", {{"provider", name}});
    }
    apply(static_cast<std::size_t>(now - providers.begin()), is_well, has_changed && is_well);
}

aio::Task<bool> Prober::ask(const Generation& generation, std::size_t provider) {
    const auto& asked = *generation.runtime->providers[provider];
    std::string head;
    asked.begin_probe_head(head);
    head += "\r\n";
    const std::string_view pieces[] = {head};
    net::Exchange exchange(*generation.pools[provider]);
    const aio::Deadline until = aio::Deadline::in(asked.health()->timeout);
    const net::Timing timing{.connect_max = asked.health()->timeout,
                             .first_byte = until,
                             .idle_max = asked.health()->timeout,
                             .total = until};
    const auto sent = co_await exchange.send(pieces, net::Method::get, timing);
    if (!sent) {
        co_return false;
    }
    const bool is_good = exchange.head().status < kFirstBadStatus;
    // To its end, where that is near: then the connection serves again.
    for (std::size_t bytes = 0; !exchange.is_complete() && bytes < kAnswerBytesRead;) {
        const auto more = co_await exchange.read_body();
        if (!more) {
            break;
        }
        bytes += more->size();
    }
    co_return is_good;
}

// To every target there is now: one that a reload brought learns it with the next probe.
void Prober::apply(std::size_t provider, bool is_well, bool has_come_back) {
    const runtime::Runtime& runtime = *current_->runtime;
    const auto tell = [&](resilience::Target& target) {
        target.set_reachable(is_well);
        if (has_come_back) {
            target.breaker.hurry(clock_.steady_now());
        }
    };
    for (std::size_t i = 0; i < runtime.targets.size(); ++i) {
        if (runtime.catalog.identities()[i].provider == provider) {
            tell(*runtime.targets[i]);
        }
    }
    if (runtime.passed[provider] != nullptr) {
        for (const auto& known : runtime.passed[provider]->all()) {
            tell(*known.target);
        }
    }
}

}  // namespace weir::pipeline
