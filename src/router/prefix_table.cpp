#include "router/prefix_table.h"

#include <algorithm>

#include "router/hash.h"

namespace weir::router {
namespace {

// Half an identity's hash tells a few thousand apart, and halves what a block takes.
std::uint32_t holder_of(std::uint64_t identity) {
    const auto half = static_cast<std::uint32_t>(mix(identity));
    return half == 0 ? 1 : half;
}

}  // namespace

void prefix_hashes(std::string_view prompt, PrefixHashes& out) {
    out.clear();
    std::uint64_t hash = 0;
    while (prompt.size() >= kPrefixBlockBytes && !out.is_full()) {
        hash = hash_text(prompt.substr(0, kPrefixBlockBytes), hash);
        out.push_back(hash == 0 ? 1 : hash);
        prompt.remove_prefix(kPrefixBlockBytes);
    }
}

void CachedPrefixes::add(std::uint32_t holder, std::uint32_t bytes) {
    const bool is_there = std::any_of(
        known_.begin(), known_.end(), [&](const Known& known) { return known.holder == holder; });
    if (!is_there && !known_.is_full()) {
        known_.push_back({holder, bytes});
    }
}

std::uint32_t CachedPrefixes::bytes_at(std::uint64_t identity) const {
    const std::uint32_t holder = holder_of(identity);
    for (const Known& known : known_) {
        if (known.holder == holder) {
            return known.bytes;
        }
    }
    return 0;
}

PrefixTable::PrefixTable(std::size_t blocks_max)
    : sets_(std::max<std::size_t>(1, blocks_max / kBlocksMin)) {
    for (Shard& shard : shards_) {
        shard.sets = std::make_unique<Set[]>(sets_);
    }
}

void PrefixTable::saw(std::span<const std::uint64_t> hashes, std::uint64_t identity) {
    const std::uint32_t holder = holder_of(identity);
    for (const std::uint64_t hash : hashes) {
        Shard& shard = shard_of(hash);
        const std::lock_guard lock(shard.mutex);
        Set& set = shard.sets[set_of(hash)];
        ++shard.clock;
        auto block =
            std::find_if(set.begin(), set.end(), [hash](const Block& b) { return b.hash == hash; });
        if (block == set.end()) {
            // An empty place, else the one that was used longest ago. Ages survive the clock's
            // turning over.
            block = std::max_element(set.begin(), set.end(), [&](const Block& a, const Block& b) {
                const auto age = [&](const Block& one) {
                    return one.hash == 0 ? ~std::uint32_t{0} : shard.clock - one.used;
                };
                return age(a) < age(b);
            });
            *block = {.hash = hash};
        }
        block->used = shard.clock;
        auto& holders = block->holders;
        const auto mine = std::find(holders.begin(), holders.end() - 1, holder);
        *mine = holder;
        std::rotate(holders.begin(), mine, mine + 1);
    }
}

bool PrefixTable::holders_of(std::uint64_t hash,
                             std::array<std::uint32_t, kPrefixHoldersMax>& holders) const {
    const Shard& shard = shard_of(hash);
    const std::lock_guard lock(shard.mutex);
    for (const Block& block : shard.sets[set_of(hash)]) {
        if (block.hash == hash) {
            holders = block.holders;
            return true;
        }
    }
    return false;
}

void PrefixTable::find(std::span<const std::uint64_t> hashes, CachedPrefixes& out) const {
    out.clear();
    std::array<std::uint32_t, kPrefixHoldersMax> holders;
    // Whoever saw a block saw all before it, and those are used as often: the last one that is
    // there is found by halving. One that was forgotten in between makes this find less.
    std::size_t depth = 0;
    std::size_t beyond = hashes.size();
    while (depth < beyond) {
        const std::size_t middle = (depth + beyond + 1) / 2;
        if (holders_of(hashes[middle - 1], holders)) {
            depth = middle;
        } else {
            beyond = middle - 1;
        }
    }
    for (std::size_t step = 1; depth > 0; step *= 2) {
        if (holders_of(hashes[depth - 1], holders)) {
            for (const std::uint32_t holder : holders) {
                if (holder != 0) {
                    out.add(holder, static_cast<std::uint32_t>(depth * kPrefixBlockBytes));
                }
            }
        }
        // The first block too, where most prompts are alike.
        depth = depth > 1 ? std::max<std::size_t>(1, depth - std::min(step, depth - 1)) : 0;
    }
}

std::uint32_t PrefixTable::cached_bytes(std::span<const std::uint64_t> hashes,
                                        std::uint64_t identity) const {
    CachedPrefixes prefixes;
    find(hashes, prefixes);
    return prefixes.bytes_at(identity);
}

std::size_t PrefixTable::blocks() const {
    std::size_t count = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        for (std::size_t i = 0; i < sets_; ++i) {
            count += static_cast<std::size_t>(
                std::count_if(shard.sets[i].begin(), shard.sets[i].end(), [](const Block& block) {
                    return block.hash != 0;
                }));
        }
    }
    return count;
}

}  // namespace weir::router
