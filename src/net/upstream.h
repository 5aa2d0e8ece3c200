// One upstream server (a provider's endpoint) and the connections to it. An Upstream is made once
// and shared by all threads: address, TLS, the global connection cap. Each reactor thread has its
// own pool of idle connections, used last-in-first-out, so that few are kept warm and the rest age
// out.
//
// An Exchange is one request on one connection. A reused connection that dies before any response
// byte is replaced once, unseen; that is not an attempt.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aio/scope.h"
#include "aio/task.h"
#include "base/error.h"
#include "net/buffers.h"
#include "net/http_body.h"
#include "net/http_head.h"
#include "net/inflate.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls.h"

namespace weir::net {

struct UpstreamOptions {
    std::string host;
    std::uint16_t port = 443;
    std::shared_ptr<TlsContext> tls;  // null: plain
    // Where the host is, known and judged already: these are connected to, in order, and nothing is
    // resolved. Null: by its name.
    Addresses addresses = nullptr;
    std::size_t connections_max = 1024;  // over all threads
    std::chrono::seconds idle_max{55};
    unsigned threads = 1;  // a thread keeps at most ceil(connections_max / threads) idle
};

// Each phase's own limit; all of them end at `total`.
struct Timing {
    std::chrono::nanoseconds connect_max;
    aio::Deadline first_byte;
    std::chrono::nanoseconds idle_max;
    aio::Deadline total;
};

class UpstreamConnection;

class Upstream {
public:
    Upstream(UpstreamOptions options, Resolver& resolver);
    ~Upstream();
    Upstream(const Upstream&) = delete;

    const UpstreamOptions& options() const { return options_; }
    // "host" or "host:port", as the Host field wants it.
    const std::string& authority() const { return authority_; }
    std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }

private:
    friend class UpstreamConnection;
    friend class UpstreamPool;
    UpstreamOptions options_;
    std::string authority_;
    Resolver& resolver_;
    std::atomic<std::size_t> connections_ = 0;
};

// The idle connections of one thread to one upstream. Made, used and destroyed on its reactor
// thread.
class UpstreamPool {
public:
    explicit UpstreamPool(std::shared_ptr<Upstream> upstream);
    ~UpstreamPool();
    UpstreamPool(const UpstreamPool&) = delete;

    Upstream& upstream() { return *upstream_; }
    // Closes what has been idle for too long or was closed by the other side. Called every few
    // seconds.
    void reap(SteadyTime now);

private:
    friend class Exchange;
    using Connection = std::unique_ptr<UpstreamConnection>;

    // A connection known to be alive a moment ago, or null.
    Connection take_idle();
    aio::Task<Result<Connection>> connect(Timing timing);
    void give_back(Connection connection);

    std::shared_ptr<Upstream> upstream_;
    std::vector<Connection> idle_;
};

class UpstreamConnection {
public:
    UpstreamConnection(Upstream& upstream, int fd);
    ~UpstreamConnection();
    bool was_used() const { return idle_since != SteadyTime{}; }
    Stream stream;
    SteadyTime idle_since{};

private:
    Upstream& upstream_;
};

class Exchange {
public:
    explicit Exchange(UpstreamPool& pool) : pool_(pool) {}
    // Gives the connection back if the answer was read to its end and both sides agree to keep it.
    ~Exchange();
    Exchange(const Exchange&) = delete;

    // Sends the request and waits for the head of the final answer (1xx are skipped). The pieces
    // must stay until it returns. Errors: upstream_unavailable (connect, TLS, reset before an
    // answer), upstream_timeout, upstream_invalid_response, cancelled.
    aio::Task<Result<void>> send(Pieces request, Method method, Timing timing);

    // The same for a body that is not at hand whole, on a connection of its own, since nothing of
    // it could be sent again: begin() sends the head and what there is, send_more() what follows
    // (its pieces may lie in scratch), finish() waits for the answer's head. false: the provider
    // takes no more, and has perhaps answered already: finish() tells.
    aio::Task<Result<bool>> begin(Pieces request, Timing timing);
    aio::Task<Result<bool>> send_more(Pieces pieces);
    aio::Task<Result<void>> finish(Method method);

    // Valid until the first read_body(), and where the caller suspends before that, until then:
    // head and first payload bytes lie in the thread's scratch.
    const ResponseHead& head() const { return parser_->head(); }

    // The next payload bytes, de-chunked, decompressed and contiguous, in the thread's scratch:
    // valid until the caller suspends. Empty only at the end (is_complete() is true then). The
    // first call after send() usually gives bytes without waiting. Errors: those of send(); a
    // compression that is broken, too large or not known is upstream_invalid_response.
    aio::Maybe<Result<std::string_view>> read_body();
    bool is_complete() const { return is_compressed() ? inflated_ : complete_; }
    // The rest of the answer must be there by `total`; said again as the answer goes on.
    void end_by(aio::Deadline total) { timing_.total = total; }
    // Bytes were put on the wire: from here on the provider may have done work.
    bool was_sent() const { return sent_; }

private:
    static Result<bool> took_it(const Io& io);
    aio::Task<Result<void>> receive_head(Method method);
    bool is_compressed() const { return coding_fault_ || inflater_ != nullptr; }
    void begin_body(const ResponseHead& head);
    aio::Maybe<Result<std::string_view>> read_payload();
    aio::Task<Result<std::string_view>> read_inflated();
    aio::Task<Result<std::string_view>> read_body_slowly();
    Result<std::string_view> take_payload(std::span<char> bytes);

    UpstreamPool& pool_;
    std::unique_ptr<UpstreamConnection> connection_;
    Timing timing_{.connect_max{},
                   .first_byte = aio::Deadline::never(),
                   .idle_max{},
                   .total = aio::Deadline::never()};
    aio::Pooled<ResponseHeadParser> parser_;  // none once the body is read
    BodyScanner body_;
    Buffer head_bytes_;         // only where the head came in several reads
    std::span<char> leftover_;  // body bytes that came with the head, in scratch or head_bytes_
    bool sent_ = false;
    bool any_byte_ = false;
    bool complete_ = false;               // all that belongs to the answer has come
    std::unique_ptr<Inflater> inflater_;  // where it is compressed, though nobody asked
    std::optional<Error> coding_fault_;   // it cannot be read; its status still counts
    bool inflated_ = false;               // to the end
    bool keep_alive_ = false;
    bool cut_short_ = false;  // the provider did not take the whole request
};

}  // namespace weir::net
