#include "quota/address_table.h"

#include <algorithm>
#include <cstring>

#include "base/random.h"

namespace weir::quota {
namespace {

constexpr std::size_t kFirstBuckets = 16;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// The low bits choose the shard, the high ones the bucket.
std::size_t bucket_of(std::uint64_t hash, std::size_t buckets) {
    return static_cast<std::size_t>(hash >> 32) & (buckets - 1);
}

}  // namespace

AddressKey address_key(const Address& address) {
    AddressKey key;
    std::memcpy(&key.high, address.data(), 8);
    std::memcpy(&key.low, address.data() + 8, 8);
    constexpr Address kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::memcmp(address.data(), kMapped.data(), 12) != 0) {
        key.low = 0;
    }
    return key;
}

AddressTable::AddressTable(std::size_t entries_max)
    : shard_max_(std::max<std::size_t>((entries_max + kShards - 1) / kShards, 1)) {
    std::array<unsigned char, sizeof seed_> bytes;
    secure_random(bytes);
    std::memcpy(seed_.data(), bytes.data(), sizeof seed_);
}

std::uint64_t AddressTable::hash_of(AddressKey key) const {
    // Two rounds: one product alone leaves its low bits, which choose the shard, guessable.
    const std::uint64_t once = fold(key.high ^ seed_[0], key.low ^ seed_[1]);
    return fold(once ^ seed_[1], seed_[0] | 1) ^ once;
}

AddressTable::Node* AddressTable::Shard::find(AddressKey key, std::uint64_t hash) {
    if (buckets.empty()) {
        return nullptr;
    }
    for (std::uint32_t i = buckets[bucket_of(hash, buckets.size())]; i != kNone;
         i = nodes[i].next) {
        if (nodes[i].key == key) {
            return &nodes[i];
        }
    }
    return nullptr;
}

void AddressTable::Shard::link(std::uint32_t index, std::uint64_t hash) {
    std::uint32_t& head = buckets[bucket_of(hash, buckets.size())];
    nodes[index].next = head;
    head = index;
}

void AddressTable::Shard::unlink(std::uint32_t index, std::uint64_t hash) {
    std::uint32_t* at = &buckets[bucket_of(hash, buckets.size())];
    while (*at != index) {
        at = &nodes[*at].next;
    }
    *at = nodes[index].next;
}

AddressTable::Node* AddressTable::add(Shard& shard,
                                      AddressKey key,
                                      std::uint64_t hash,
                                      SteadyTime now) {
    std::uint32_t index = kNone;
    if (shard.nodes.size() < shard_max_) {
        index = static_cast<std::uint32_t>(shard.nodes.size());
        shard.nodes.emplace_back();
        grow_buckets(shard);
        size_.fetch_add(1, std::memory_order_relaxed);
    } else {
        // The hand goes on where it stopped, so entries are taken in turn and a whole round is
        // rare: 1,024 entries, about a microsecond, when nearly all of them limit.
        for (std::size_t step = 0; step < shard.nodes.size() && index == kNone; ++step) {
            const std::uint32_t at = shard.hand;
            shard.hand = at + 1 == shard.nodes.size() ? 0 : at + 1;
            if (shard.nodes[at].entry.at_rest(now)) {
                index = at;
            }
        }
        if (index == kNone) {
            untracked_.fetch_add(1, std::memory_order_relaxed);
            return nullptr;
        }
        shard.unlink(index, hash_of(shard.nodes[index].key));
    }
    shard.nodes[index] = Node{.key = key};
    shard.link(index, hash);
    return &shard.nodes[index];
}

// Called with one new node at the end that is in no chain yet.
void AddressTable::grow_buckets(Shard& shard) const {
    if (shard.nodes.size() <= shard.buckets.size()) {
        return;
    }
    shard.buckets.assign(std::max(kFirstBuckets, shard.buckets.size() * 2), kNone);
    for (std::uint32_t i = 0; i + 1 < shard.nodes.size(); ++i) {
        shard.link(i, hash_of(shard.nodes[i].key));
    }
}

}  // namespace weir::quota
