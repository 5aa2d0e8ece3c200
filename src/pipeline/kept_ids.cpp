#include "pipeline/kept_ids.h"

namespace weir::pipeline {

namespace {

constexpr std::chrono::seconds kFindMax{5};

}  // namespace

void KeptIds::remember(std::string_view id, const store::Keeper& keeper) {
    Shard& shard = shard_of(id);
    const std::lock_guard guard(shard.lock);
    if (!shard.keepers.emplace(std::string(id), keeper).second) {
        return;
    }
    shard.order.emplace_back(id);
    if (shard.order.size() > kRecentIdsMax / kShards) {
        shard.keepers.erase(shard.order.front());
        shard.order.pop_front();
    }
}

std::optional<store::Keeper> KeptIds::find_recent(const std::string& id) {
    Shard& shard = shard_of(id);
    const std::lock_guard guard(shard.lock);
    const auto found = shard.keepers.find(id);
    return found == shard.keepers.end() ? std::nullopt : std::optional(found->second);
}

aio::Task<Result<std::optional<store::Keeper>>> KeptIds::find(std::string id,
                                                              std::int64_t tenant_id) {
    std::optional<store::Keeper> keeper = find_recent(id);
    if (!keeper && id.size() <= kKeptIdBytesMax) {
        WEIR_CO_TRY(keeper,
                    co_await pool_.run(
                        [this, id = std::move(id)] { return stored_.find(id, clock_.wall_now()); },
                        aio::Deadline::in(kFindMax)));
    }
    if (keeper && keeper->tenant_id != tenant_id) {
        keeper.reset();
    }
    co_return keeper;
}

aio::Task<Result<void>> KeptIds::forget(std::string id) {
    {
        Shard& shard = shard_of(id);
        const std::lock_guard guard(shard.lock);
        // Its place in the order stays: it is skipped when its turn comes.
        shard.keepers.erase(id);
    }
    co_return co_await pool_.run([this, id = std::move(id)] { return stored_.forget(id); },
                                 aio::Deadline::in(kFindMax));
}

}  // namespace weir::pipeline
