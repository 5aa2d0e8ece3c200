// Gets a file from a URL that a stranger wrote, through the egress guard. Each hop resolves its
// host once, asks the guard about every address (one bad one condemns the host) and connects to
// those very addresses: a name that changes its mind in between changes nothing. No credential, no
// cookie, no field of the client's goes along. Immutable, shared by all reactor threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aio/deadline.h"
#include "aio/task.h"
#include "net/egress.h"
#include "net/resolver.h"
#include "net/tls.h"

namespace weir::net {

inline constexpr std::size_t kRedirectsMax = 3;

struct FetchOptions {
    EgressRules rules;
    std::shared_ptr<TlsContext> tls;
    std::size_t bytes_max = 0;
    std::vector<std::string> types;  // media types that are taken: "application/pdf", "image/*"
};

struct Fetched {
    std::string bytes;
    std::string type;  // "image/png": lower case, without parameters
};

// Asked before bytes are kept; its error ends the fetch.
using TakeBytes = std::function<Result<void>(std::size_t)>;

class Fetcher {
public:
    // `resolver` outlives it, and serves no other purpose: strangers choose the names it keeps.
    Fetcher(FetchOptions options, Resolver& resolver);

    // GETs the URL, following redirects. Errors: invalid_request (the guard says no),
    // payload_too_large, unsupported_media_type, upstream_timeout, upstream_unavailable,
    // upstream_error (any status but 200), upstream_invalid_response, each with a clause as its
    // message ("its host did not answer in time") that tells no address; cancelled, overloaded and
    // what `take` says as they come.
    aio::Task<Result<Fetched>> get(std::string url, TakeBytes take, aio::Deadline deadline) const;

private:
    struct Answer {
        Fetched file;
        std::string location;  // of a redirect
    };
    aio::Task<Result<Addresses>> locate(std::string host,
                                        std::uint16_t port,
                                        aio::Deadline deadline) const;
    aio::Task<Result<Answer>> ask(WebUrl url, TakeBytes take, aio::Deadline deadline) const;
    std::string request_of(const WebUrl& url, const std::string& authority) const;
    bool takes(std::string_view type) const;

    FetchOptions options_;
    std::string accept_;
    Resolver& resolver_;
};

}  // namespace weir::net
