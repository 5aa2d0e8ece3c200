// Asks providers that want it a cheap question every so often, and takes their targets out while
// they do not answer (docs/routing.md has the rule). One of the call threads has it; made, used and
// destroyed there.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "aio/scope.h"
#include "aio/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "obs/log.h"
#include "pipeline/generation.h"
#include "resilience/probe.h"

namespace weir::pipeline {

class Prober {
public:
    // `current` is what calls that begin now follow; it outlives this.
    Prober(const std::shared_ptr<Generation>& current,
           const Clock& clock,
           obs::Log& log,
           std::uint64_t seed)
        : current_(current), clock_(clock), log_(log), random_(seed) {}
    Prober(const Prober&) = delete;

    // Asks those whose turn it is. Several times a second, while it says that somebody is probed.
    bool tick();
    // Ends what is out.
    aio::Task<void> stop();

private:
    aio::Task<void> probe(std::shared_ptr<Generation> generation, std::size_t provider);
    static aio::Task<bool> ask(const Generation& generation, std::size_t provider);
    void apply(std::size_t provider, bool is_well, bool has_come_back);

    const std::shared_ptr<Generation>& current_;
    const Clock& clock_;
    obs::Log& log_;
    Random random_;
    std::map<std::string, resilience::Probe> probes_;  // by the provider's name
    aio::Scope asking_;
};

}  // namespace weir::pipeline
