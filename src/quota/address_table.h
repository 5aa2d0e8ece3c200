// What is counted per client address: a bounded table in shards, each under its own lock, which is
// held for a few nanoseconds and never over a suspension. Any thread.
//
// An entry that still limits or holds a slot is never evicted. Where all entries of a shard do, a
// new address is not tracked (fail open, counted): who owns that many addresses has that many fresh
// allowances anyway, while refusing would let them lock everyone else out.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/limit_state.h"

namespace weir::quota {

// An IPv6 address or an IPv4 one in its v6-mapped form, as net::IpAddress has it.
using Address = std::array<std::uint8_t, 16>;

// What counts as one client: the IPv4 address, or the /64 of an IPv6 one, which is what one
// subscriber gets: limits per single IPv6 address would be no limits.
struct AddressKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const AddressKey&) const = default;
};
AddressKey address_key(const Address& address);

struct AddressEntry {
    std::int64_t requests = kRestingCell;  // GCRA cell
    std::int64_t guesses = kRestingCell;   // GCRA cell of failed credentials
    std::uint32_t in_flight = 0;

    bool at_rest(SteadyTime now) const {
        const auto time = now.time_since_epoch().count();
        return in_flight == 0 && requests <= time && guesses <= time;
    }
};

class AddressTable {
public:
    static constexpr std::size_t kShards = 64;

    // At most `entries_max` addresses, rounded up to a multiple of kShards. Memory grows with use.
    explicit AddressTable(std::size_t entries_max);

    // Runs `use(AddressEntry&)` under the lock; false, without running it, where the address is not
    // tracked. `use` must not block.
    template <class Use>
    bool find(AddressKey key, Use&& use) {
        if (size() == 0) {  // the usual state: nobody is limited and nobody guesses
            return false;
        }
        const std::uint64_t hash = hash_of(key);
        Shard& shard = shards_[hash % kShards];
        const std::lock_guard guard(shard.lock);
        Node* node = shard.find(key, hash);
        if (node == nullptr) {
            return false;
        }
        use(node->entry);
        return true;
    }
    // Adds the address where it is not tracked yet; false, without running `use`, where that is
    // impossible because every entry of the shard is in use.
    template <class Use>
    bool find_or_add(AddressKey key, SteadyTime now, Use&& use) {
        const std::uint64_t hash = hash_of(key);
        Shard& shard = shards_[hash % kShards];
        const std::lock_guard guard(shard.lock);
        Node* node = shard.find(key, hash);
        if (node == nullptr) {
            node = add(shard, key, hash, now);
            if (node == nullptr) {
                return false;
            }
        }
        use(node->entry);
        return true;
    }

    std::size_t size() const { return size_.load(std::memory_order_relaxed); }
    std::size_t capacity() const { return shard_max_ * kShards; }
    // How often an address could not be tracked.
    std::uint64_t untracked() const { return untracked_.load(std::memory_order_relaxed); }

private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};

    struct Node {
        AddressKey key;
        std::uint32_t next = kNone;  // in the same bucket
        AddressEntry entry;
    };
    struct alignas(64) Shard {
        Node* find(AddressKey key, std::uint64_t hash);
        void link(std::uint32_t index, std::uint64_t hash);
        void unlink(std::uint32_t index, std::uint64_t hash);

        std::mutex lock;
        std::vector<Node> nodes;             // guarded by lock, as all below
        std::vector<std::uint32_t> buckets;  // a power of two; heads of chains through `next`
        std::uint32_t hand = 0;              // where the next search for a victim begins
    };

    std::uint64_t hash_of(AddressKey key) const;
    Node* add(Shard& shard, AddressKey key, std::uint64_t hash, SteadyTime now);
    void grow_buckets(Shard& shard) const;

    std::array<std::uint64_t, 2> seed_;  // secret: or addresses could be chosen to share a shard
    std::size_t shard_max_;
    std::array<Shard, kShards> shards_;
    std::atomic<std::size_t> size_{0};
    std::atomic<std::uint64_t> untracked_{0};
};

}  // namespace weir::quota
