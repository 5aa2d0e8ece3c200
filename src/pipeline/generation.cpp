#include "pipeline/generation.h"

#include <algorithm>

namespace weir::pipeline {
namespace {

std::shared_ptr<net::UpstreamPool> pool_of(const std::shared_ptr<net::Upstream>& upstream,
                                           const Generation* previous) {
    if (previous != nullptr) {
        const auto found = std::find_if(
            previous->pools.begin(), previous->pools.end(), [&upstream](const auto& pool) {
                return &pool->upstream() == upstream.get();
            });
        if (found != previous->pools.end()) {
            return *found;
        }
    }
    return std::make_shared<net::UpstreamPool>(upstream);
}

}  // namespace

Generation::Generation(std::shared_ptr<const runtime::Runtime> made,
                       obs::Metrics& metrics,
                       unsigned thread,
                       const Generation* previous)
    : runtime(std::move(made)), meters(metrics, thread, *runtime) {
    for (const auto& provider : runtime->providers) {
        pools.push_back(pool_of(provider->upstream(), previous));
    }
}

}  // namespace weir::pipeline
