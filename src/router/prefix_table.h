// Who saw the beginning of which prompt last: what a provider that caches prompts has probably
// kept. A prompt is known by its blocks, each by the hash of all of it up to there, so that two
// prompts have as many in common as they begin alike. Bounded: what nobody asked for longest is
// forgotten. Any thread; a lock of one of 64 shards is held for a few dozen instructions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>

#include "router/inline_vector.h"

namespace weir::router {

// Shorter beginnings are not told apart. vLLM's blocks of 16 tokens have some 60 bytes each.
inline constexpr std::size_t kPrefixBlockBytes = 512;
// Of one prompt: 32 KiB, some 8,000 tokens. What is alike for so long is alike.
inline constexpr std::size_t kPrefixBlocksMax = 64;
// Of a table: 2 MiB.
inline constexpr std::size_t kPrefixTableBlocksMax = 65'536;
// Of a block: the last ones.
inline constexpr std::size_t kPrefixHoldersMax = 4;

using PrefixHashes = InlineVector<std::uint64_t, kPrefixBlocksMax>;
// Of the whole blocks that `prompt` begins with; none where it is shorter than one. The words of a
// caller who wants two prompts to be taken for one are: the answer is never affected, only where it
// comes from.
void prefix_hashes(std::string_view prompt, PrefixHashes& out);

// Who has how much of a prompt: the longest first, each once.
class CachedPrefixes {
public:
    void add(std::uint32_t holder, std::uint32_t bytes);
    // 0: nothing that is known.
    std::uint32_t bytes_at(std::uint64_t identity) const;
    void clear() { known_.clear(); }

private:
    struct Known {
        std::uint32_t holder;
        std::uint32_t bytes;
    };
    InlineVector<Known, 16> known_;
};

class PrefixTable {
public:
    // `blocks_max` is rounded down to what divides into shards; at least kBlocksMin.
    explicit PrefixTable(std::size_t blocks_max = kPrefixTableBlocksMax);
    PrefixTable(const PrefixTable&) = delete;

    static constexpr std::size_t kShards = 64;
    static constexpr std::size_t kWays = 8;  // places a block may be at
    static constexpr std::size_t kBlocksMin = kShards * kWays;

    // `identity` is asked with this prompt. `hashes` as prefix_hashes() makes them.
    void saw(std::span<const std::uint64_t> hashes, std::uint64_t identity);
    // Fills `out` anew. The holders of the longest prefix are found exactly; those of shorter ones
    // may have more than is said, less than twice as much. A dozen looks, however long it is.
    void find(std::span<const std::uint64_t> hashes, CachedPrefixes& out) const;
    std::uint32_t cached_bytes(std::span<const std::uint64_t> hashes, std::uint64_t identity) const;
    // That are held now.
    std::size_t blocks() const;

private:
    // 32 bytes: two to a cache line. A hash of 0 is an empty place.
    struct Block {
        std::uint64_t hash = 0;
        std::array<std::uint32_t, kPrefixHoldersMax> holders{};  // the last first; 0: none
        std::uint32_t used = 0;                                  // the shard's clock
    };
    using Set = std::array<Block, kWays>;
    struct alignas(64) Shard {
        mutable std::mutex mutex;
        std::uint32_t clock = 0;
        std::unique_ptr<Set[]> sets;
    };

    Shard& shard_of(std::uint64_t hash) { return shards_[hash >> 58]; }
    const Shard& shard_of(std::uint64_t hash) const { return shards_[hash >> 58]; }
    std::size_t set_of(std::uint64_t hash) const { return (hash & 0xffffffffu) % sets_; }
    // False: nobody saw that block.
    bool holders_of(std::uint64_t hash,
                    std::array<std::uint32_t, kPrefixHoldersMax>& holders) const;

    std::size_t sets_;  // of a shard
    std::array<Shard, kShards> shards_;
};

}  // namespace weir::router
