// The admin API as values: a request in, an answer out; the HTTP edge is the server's. One file per
// resource. Everything here blocks on the database: call it on a blocking pool. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "admin/controls.h"
#include "auth/authenticator.h"
#include "base/clock.h"
#include "base/error.h"
#include "store/keys.h"
#include "store/usage.h"

namespace weir::admin {

inline constexpr std::size_t kBodyBytesMax = 1u << 20;

struct Request {
    std::string method;  // "GET"
    std::string path;    // raw, "/api/v1/keys/…"
    std::string query;   // raw, without the question mark
    std::string body;
};

struct Reply {
    int status = 200;
    std::string body;  // JSON
};

// Whether the path belongs to this API, and the methods it has: "GET, POST"; empty: not ours.
std::string_view allowed_methods(std::string_view path);

class Api {
public:
    // All references outlive it.
    Api(store::Keys& keys,
        store::Usage& usage,
        auth::Authenticator& authenticator,
        Controls& controls,
        const Clock& clock)
        : keys_(keys),
          usage_(usage),
          authenticator_(authenticator),
          controls_(controls),
          clock_(clock) {}

    // The path and the method must be ones that allowed_methods() names; the caller has proved that
    // it holds the admin key. Errors go out in the words they have.
    Result<Reply> handle(const Request& request);

    // POST /api/v1/keys without HTTP, for the first start: the new key and its record.
    struct MadeKey {
        Secret secret;
        store::Key record;
    };
    Result<MadeKey> make_key(store::Key facts, Secret secret);

private:
    Result<Reply> create_key(const Request& request);
    Result<Reply> list_keys(const Request& request);
    Result<Reply> show_key(const Uuid& id);
    Result<Reply> revoke_key(const Uuid& id);
    Result<Reply> list_usage(const Request& request);
    Result<Reply> show_usage(const Uuid& request_id);
    Result<Reply> reload(const Request& request);
    Result<Reply> list_targets();
    Result<Reply> show_routing(std::string_view name);
    Result<Reply> change_routing(std::string_view name, const Request& request);
    // The public id of a key by its number in the database; empty: none.
    Result<std::string> public_id(std::int64_t key_id);

    store::Keys& keys_;
    store::Usage& usage_;
    auth::Authenticator& authenticator_;
    Controls& controls_;
    const Clock& clock_;
    std::mutex lock_;
    std::map<std::int64_t, std::string> public_ids_;  // guarded by lock_; keys are never deleted
};

}  // namespace weir::admin
