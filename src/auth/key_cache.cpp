#include "auth/key_cache.h"

#include <algorithm>
#include <utility>

namespace weir::auth {

KeyCache::KeyCache(std::size_t keys_max)
    : shard_max_(std::max<std::size_t>((keys_max + kShards - 1) / kShards, 1)) {}

// Whether a call runs with it or a limit stands on it: forgetting it would begin its counts anew.
// New references are only made under the shard's lock, so a count of ours alone stays that.
bool KeyCache::Entry::in_use(SteadyTime now) const {
    constexpr long kOfEntry = 1;
    constexpr long kOfEntryAndIdentity = 2;  // more: calls with an older identity of the key
    return identity.use_count() > kOfEntry || live.use_count() > kOfEntryAndIdentity ||
           !live->limits.at_rest(now);
}

// Expired, or revoked according to the store: judged at each use.
bool KeyCache::Entry::over(const Clock& clock) const {
    const KeyRecord& key = identity->key();
    return (key.expires_at || key.revoked_at) && !key.valid_at(clock.wall_now());
}

Cached KeyCache::find(const Digest& hash, const Clock& clock) {
    const SteadyTime now = clock.steady_now();
    Shard& shard = shard_of(hash);
    const std::lock_guard guard(shard.lock);
    const auto at = shard.keys.find(hash);
    if (at == shard.keys.end()) {
        if (!shard.wrong.empty()) {
            const Wrong& wrong = shard.wrong[wrong_slot(hash)];
            if (wrong.hash == hash && now < wrong.until) {
                return {.verdict = Verdict::invalid};
            }
        }
        return {};
    }
    Entry& entry = at->second;
    entry.last_used = now;
    if (entry.live->revoked.load(std::memory_order_acquire)) {
        return {.verdict = Verdict::invalid};
    }
    const auto age = now - entry.asked_at;
    const bool fresh = age < kFreshFor && !entry.outdated;
    const bool store_was_away = now < entry.stale_until;  // a moment ago: not asked again yet
    if (!fresh && !store_was_away) {
        return {};
    }
    if (entry.over(clock)) {
        return {.verdict = Verdict::invalid};
    }
    const bool refresh_due = fresh && age >= kRefreshAfter && !entry.refreshing && !store_was_away;
    entry.refreshing = entry.refreshing || refresh_due;
    return {.verdict = Verdict::valid, .identity = entry.identity, .refresh_due = refresh_due};
}

KeyCache::Kept KeyCache::keep(const Digest& hash,
                              KeyRecord record,
                              std::uint64_t generation,
                              SteadyTime asked_at,
                              SteadyTime now) {
    using enum Kept::Outcome;
    Shard& shard = shard_of(hash);
    const std::lock_guard guard(shard.lock);
    // revoke() counts up before it visits the shards: either it is seen here, or it sees the entry.
    if (generation_.load() != generation) {
        return {.outcome = outdated};
    }
    auto at = shard.keys.find(hash);
    if (at == shard.keys.end()) {
        if (!make_room(shard, shard_max_, now)) {
            return {.outcome = full};
        }
        auto live = std::make_shared<LiveKey>();
        auto identity = std::make_shared<const Identity>(std::move(record), live);
        at = shard.keys
                 .emplace(hash,
                          Entry{.identity = std::move(identity),
                                .live = std::move(live),
                                .asked_at = asked_at,
                                .last_used = now})
                 .first;
        return {.outcome = kept, .identity = at->second.identity};
    }
    Entry& entry = at->second;
    if (entry.identity->key() != record) {
        entry.identity = std::make_shared<const Identity>(std::move(record), entry.live);
    }
    entry.asked_at = std::max(entry.asked_at, asked_at);
    entry.last_used = now;
    entry.stale_until = {};
    entry.refreshing = false;
    entry.outdated = false;
    return {.outcome = kept, .identity = entry.identity};
}

// The least recently used of those that may be forgotten; false where none may. Looks at the whole
// shard: that is microseconds, and only before a look-up's answer is kept in a full one.
bool KeyCache::make_room(Shard& shard, std::size_t most, SteadyTime now) {
    if (shard.keys.size() < most) {
        return true;
    }
    auto oldest = shard.keys.end();
    for (auto at = shard.keys.begin(); at != shard.keys.end(); ++at) {
        if ((oldest == shard.keys.end() || at->second.last_used < oldest->second.last_used) &&
            !at->second.in_use(now)) {
            oldest = at;
        }
    }
    if (oldest == shard.keys.end()) {
        return false;
    }
    shard.keys.erase(oldest);
    return true;
}

void KeyCache::reject(const Digest& hash, SteadyTime now) {
    Shard& shard = shard_of(hash);
    const std::lock_guard guard(shard.lock);
    if (const auto at = shard.keys.find(hash); at != shard.keys.end()) {
        at->second.live->revoked.store(true, std::memory_order_release);
        shard.keys.erase(at);
    }
    if (shard.wrong.empty()) {
        shard.wrong.resize(kWrongPerShard);
    }
    shard.wrong[wrong_slot(hash)] = {.hash = hash, .until = now + kUnknownFor};
}

IdentityRef KeyCache::keep_stale(const Digest& hash, const Clock& clock) {
    const SteadyTime now = clock.steady_now();
    Shard& shard = shard_of(hash);
    const std::lock_guard guard(shard.lock);
    const auto at = shard.keys.find(hash);
    if (at == shard.keys.end()) {
        return nullptr;
    }
    Entry& entry = at->second;
    entry.refreshing = false;
    const SteadyTime last = entry.asked_at + kStaleFor;
    if (now >= last || entry.over(clock) || entry.live->revoked.load(std::memory_order_acquire)) {
        return nullptr;
    }
    entry.stale_until = std::min(now + kStoreRetryAfter, last);
    return entry.identity;
}

void KeyCache::refresh_failed(const Digest& hash) {
    Shard& shard = shard_of(hash);
    const std::lock_guard guard(shard.lock);
    if (const auto at = shard.keys.find(hash); at != shard.keys.end()) {
        at->second.refreshing = false;
    }
}

void KeyCache::revoke(const Uuid& key) {
    generation_.fetch_add(1);
    for (Shard& shard : shards_) {
        const std::lock_guard guard(shard.lock);
        for (auto& [hash, entry] : shard.keys) {
            if (entry.identity->key().public_id == key) {
                entry.live->revoked.store(true, std::memory_order_release);
            }
        }
    }
}

void KeyCache::refresh(const Uuid& key) {
    generation_.fetch_add(1);
    for (Shard& shard : shards_) {
        const std::lock_guard guard(shard.lock);
        for (auto& [hash, entry] : shard.keys) {
            if (entry.identity->key().public_id == key) {
                entry.outdated = true;
                entry.stale_until = {};
            }
        }
    }
}

std::size_t KeyCache::size() {
    std::size_t sum = 0;
    for (Shard& shard : shards_) {
        const std::lock_guard guard(shard.lock);
        sum += shard.keys.size();
    }
    return sum;
}

}  // namespace weir::auth
