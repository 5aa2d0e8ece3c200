// TLS over a Stream's own socket by OpenSSL: no BIO pairs, no idle buffers. A TlsContext is made
// once and shared by all threads; a TlsSession belongs to one stream.
//
// Client side: the system's CA store (or a named file), server name indication, host verification
// always on, session reuse. Server side: one certificate, TLS 1.2 and up, ALPN http/1.1.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "net/stream.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace weir::net {

class TlsContext : public std::enable_shared_from_this<TlsContext> {
public:
    // `ca_file` empty: the system's store. Errors: invalid_config.
    static Result<std::shared_ptr<TlsContext>> client(const std::string& ca_file);
    // PEM files. A key that does not fit the certificate is refused here.
    static Result<std::shared_ptr<TlsContext>> server(const std::string& certificate_file,
                                                      const std::string& key_file);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;

    // A session for one connection. `host` is what the certificate must name (client side only).
    std::unique_ptr<TlsSession> session(const std::string& host);

private:
    friend class TlsSession;
    struct Sessions;  // the last ticket of each host
    TlsContext(ssl_ctx_st* context, bool is_server);
    ssl_ctx_st* context_;
    bool is_server_;
    std::unique_ptr<Sessions> sessions_;
};

class TlsSession {
public:
    enum class Step { done, wants_read, wants_write, failed };

    ~TlsSession();
    TlsSession(const TlsSession&) = delete;

    Step try_handshake();
    Io try_read(std::span<char> into);
    Io try_write(Pieces pieces, std::size_t skip);
    // Received, and not yet read by anyone.
    bool holds_bytes() const;
    void close_notify();
    // Why the handshake failed, for the log: "certificate verify failed: unable to get local issuer
    // …".
    std::string failure() const;
    bool was_resumed() const;

private:
    friend class Stream;
    friend class TlsContext;
    friend struct TlsBio;
    TlsSession(ssl_st* ssl, std::shared_ptr<TlsContext> context, std::string host);
    void attach(Stream& stream);

    ssl_st* ssl_;
    std::shared_ptr<TlsContext> context_;
    std::string host_;
    Stream* stream_ = nullptr;
};

}  // namespace weir::net
