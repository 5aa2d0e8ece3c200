// Who keeps what: ids that a provider made and a client sends back, such as a stored response. They
// lead to the provider that made them, for the tenant it made them for; for anybody else there is
// nothing. What was made a moment ago is known at once in this process, the rest from the database.
// Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aio/blocking_pool.h"
#include "aio/task.h"
#include "base/clock.h"
#include "store/kept_ids.h"

namespace weir::pipeline {

// Recent ids in memory: the drain writes an id to the database within a second.
inline constexpr std::size_t kRecentIdsMax = 65'536;
// Longer ones are no provider's.
inline constexpr std::size_t kKeptIdBytesMax = 128;

class KeptIds {
public:
    KeptIds(store::Database& database, aio::BlockingPool& pool, const Clock& clock)
        : stored_(database), pool_(pool), clock_(clock) {}

    void remember(std::string_view id, const store::Keeper& keeper);
    // nullopt: nobody keeps it for this tenant. Errors: storage_unavailable and those of the pool.
    aio::Task<Result<std::optional<store::Keeper>>> find(std::string id, std::int64_t tenant_id);
    aio::Task<Result<void>> forget(std::string id);

private:
    static constexpr std::size_t kShards = 64;
    struct Shard {
        std::mutex lock;  // never held over a suspension
        std::unordered_map<std::string, store::Keeper> keepers;
        std::deque<std::string> order;  // the oldest first
    };
    Shard& shard_of(std::string_view id) {
        return shards_[std::hash<std::string_view>{}(id) % kShards];
    }
    std::optional<store::Keeper> find_recent(const std::string& id);

    store::KeptIds stored_;
    aio::BlockingPool& pool_;
    const Clock& clock_;
    std::array<Shard, kShards> shards_;
};

}  // namespace weir::pipeline
