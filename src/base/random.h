// Randomness enters here. `secure_random` is for keys and ids; `Random` is a fast generator with a
// seed, for jitter and simulations, never for secrets.
#pragma once

#include <cstdint>
#include <span>

namespace weir {

// Fills from the system's generator; aborts where it has none (a key without randomness is worse).
// Any thread.
void secure_random(std::span<unsigned char> into);

// splitmix64: one word of state, passes BigCrush, and a seed replays. Not thread-safe.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    // Uniform in [0, bound); 0 for bound 0. The bias is below 2^-32 for the bounds used here.
    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

private:
    std::uint64_t state_;
};

}  // namespace weir
