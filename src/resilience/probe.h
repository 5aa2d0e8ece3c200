// What probes of a provider say: cheap questions, asked every so often beside the calls. It is away
// after some bad answers in a row and back after some good ones; between them nothing changes.
// Pure; one thread.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace weir::resilience {

struct ProbeRules {
    std::chrono::nanoseconds interval = std::chrono::seconds{10};  // +-10 %
    std::uint32_t unhealthy_after = 3;
    std::uint32_t healthy_after = 2;
};

class Probe {
public:
    explicit Probe(const ProbeRules& rules) : rules_(rules) {}

    // A reload brought other rules; what was seen stays.
    void change(const ProbeRules& rules) { rules_ = rules; }
    // Whether to ask now. From then on it is out until record().
    bool begin(SteadyTime now, Random& random);
    // What became of it. true: this changed what is_well() says.
    bool record(bool is_good);
    // At first it is: a gateway that has just started knows nothing bad of anybody.
    bool is_well() const { return is_well_; }

private:
    ProbeRules rules_;
    bool is_well_ = true;
    bool is_out_ = false;
    std::uint32_t against_ = 0;  // answers in a row that speak against is_well_
    SteadyTime due_{};
};

}  // namespace weir::resilience
