// What the authenticator remembers, keyed by the SHA-256 of the whole credential: the keys in use,
// and, apart from them so that a flood of wrong keys pushes out no good one, the credentials that
// were found wrong a moment ago. Both are bounded, in 64 shards, whose locks are held for
// nanoseconds and never over a look-up. Any thread; times are passed in.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "auth/digest.h"
#include "auth/identity.h"
#include "base/clock.h"

namespace weir::auth {

inline constexpr std::chrono::seconds kRefreshAfter{3};
inline constexpr std::chrono::seconds kFreshFor{5};
inline constexpr std::chrono::seconds kStaleFor{60};
// While the store is away a stale key asks it no more often than this.
inline constexpr std::chrono::seconds kStoreRetryAfter{1};
// How long a wrong key is answered from memory.
inline constexpr std::chrono::seconds kUnknownFor{5};
// Keys in use at the same time; more are refused with overloaded, as forgetting one that still
// limits would void its limit.
inline constexpr std::size_t kCachedKeysMax = 65'536;
enum class Verdict : std::uint8_t {
    unknown,  // ask the store
    valid,
    invalid,
};

struct Cached {
    Verdict verdict = Verdict::unknown;
    IdentityRef identity;      // valid only
    bool refresh_due = false;  // valid, and the caller is the one who shall ask the store again
};

class KeyCache {
public:
    static constexpr std::size_t kShards = 64;
    // Wrong credentials per shard; a newer one takes the place of an older one.
    static constexpr std::size_t kWrongPerShard = 128;

    explicit KeyCache(std::size_t keys_max);

    Cached find(const Digest& hash, const Clock& clock);

    // The generation to pass to keep(): read before the store is asked. A revocation in between
    // makes keep() refuse what the store said before it.
    std::uint64_t generation() const { return generation_.load(); }
    struct Kept {
        enum class Outcome : std::uint8_t { kept, outdated, full } outcome;
        IdentityRef identity;  // kept only
    };
    // The store knows the key, as of `asked_at`. Counts of a key that is known here go on.
    Kept keep(const Digest& hash,
              KeyRecord record,
              std::uint64_t generation,
              SteadyTime asked_at,
              SteadyTime now);
    // The store does not know the credential, or says that its key is over.
    void reject(const Digest& hash, SteadyTime now);
    // The store is away: the verdict of before while it is not too old, else null.
    IdentityRef keep_stale(const Digest& hash, const Clock& clock);
    // Nobody is asking the store any more, and there was no answer.
    void refresh_failed(const Digest& hash);

    void revoke(const Uuid& key);
    void refresh(const Uuid& key);
    std::size_t size();

private:
    struct Entry {
        IdentityRef identity;
        std::shared_ptr<LiveKey> live;
        SteadyTime asked_at;  // the store's verdict is as of then
        SteadyTime last_used;
        SteadyTime stale_until;  // the store is away: not asked again before
        bool refreshing = false;
        bool outdated = false;

        bool in_use(SteadyTime now) const;
        bool over(const Clock& clock) const;
    };
    struct Wrong {
        Digest hash{};
        SteadyTime until{};
    };
    struct HashOfDigest {
        std::size_t operator()(const Digest& digest) const {
            std::size_t bits;
            std::memcpy(&bits, digest.data(), sizeof bits);
            return bits;
        }
    };
    struct alignas(64) Shard {
        std::mutex lock;
        std::unordered_map<Digest, Entry, HashOfDigest> keys;  // guarded by lock
        std::vector<Wrong> wrong;                              // guarded by lock; empty at first
    };

    Shard& shard_of(const Digest& hash) { return shards_[hash[31] % kShards]; }
    static std::size_t wrong_slot(const Digest& hash) { return hash[30] % kWrongPerShard; }
    static bool make_room(Shard& shard, std::size_t most, SteadyTime now);

    std::size_t shard_max_;
    std::atomic<std::uint64_t> generation_{0};
    std::array<Shard, kShards> shards_;
};

}  // namespace weir::auth
