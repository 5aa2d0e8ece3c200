// One configuration on one call thread: what is the same for all calls that begin under it. A call
// keeps the one it began with, so that a reload changes nothing under its feet; the last call of an
// old generation takes it away. Made, used and destroyed on its reactor's thread.
#pragma once

#include <memory>
#include <vector>

#include "net/upstream.h"
#include "pipeline/meters.h"
#include "runtime/runtime.h"

namespace weir::pipeline {

struct Generation {
    // Connections that `previous` (may be null) has to the same upstreams are shared with it.
    Generation(std::shared_ptr<const runtime::Runtime> made,
               obs::Metrics& metrics,
               unsigned thread,
               const Generation* previous);
    Generation(const Generation&) = delete;

    const std::shared_ptr<const runtime::Runtime> runtime;
    std::vector<std::shared_ptr<net::UpstreamPool>> pools;  // by the Runtime's providers
    Meters meters;
};

}  // namespace weir::pipeline
