// The HTTP edge of one call thread: a request's path and method lead to the pipeline or to the
// admin API. Knows routes and status lines, no policy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "admin/api.h"
#include "aio/blocking_pool.h"
#include "auth/authenticator.h"
#include "net/server.h"
#include "pipeline/pipeline.h"

namespace weir::server {

class Edge final : public net::Handler {
public:
    // All references outlive it.
    Edge(pipeline::Pipeline& pipeline,
         admin::Api& api,
         const auth::AdminKey& admin_key,
         const auth::Authenticator& authenticator,
         aio::BlockingPool& pool)
        : pipeline_(pipeline),
          api_(api),
          admin_key_(admin_key),
          authenticator_(authenticator),
          pool_(pool) {}

    aio::Task<void> handle(net::ServerCall& call) override;
    aio::Task<void> refuse(net::ServerCall& call, const Error& error) override;

private:
    aio::Task<void> administer(net::ServerCall& call);
    aio::Task<Result<admin::Reply>> ask_admin(net::ServerCall& call);

    pipeline::Pipeline& pipeline_;
    admin::Api& api_;
    const auth::AdminKey& admin_key_;
    const auth::Authenticator& authenticator_;
    aio::BlockingPool& pool_;
};

}  // namespace weir::server
