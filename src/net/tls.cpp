#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <mutex>
#include <unordered_map>

#include "base/assert.h"

namespace weir::net {
namespace {

// One TLS record; what is gathered into one SSL_write.
constexpr std::size_t kRecordBytes = 16u << 10;
// Room for one whole record and the head of the next, so that one recv usually suffices.
constexpr std::size_t kReadBufferBytes = kRecordBytes + 1024;
// Tickets kept for resumption: hosts are the configured providers, not what clients name.
constexpr std::size_t kSessionsMax = 256;

std::string openssl_error() {
    const unsigned long code = ::ERR_peek_last_error();
    ::ERR_clear_error();
    if (code == 0) {
        return "unknown";
    }
    char text[256];
    ::ERR_error_string_n(code, text, sizeof text);
    return text;
}

const unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

int select_alpn(SSL*,
                const unsigned char** out,
                unsigned char* out_size,
                const unsigned char* in,
                unsigned in_size,
                void*) {
    unsigned char* picked = nullptr;
    if (::SSL_select_next_proto(&picked, out_size, kAlpn, sizeof kAlpn, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;  // a client that offers only h2 is told so instead of
                                            // being misread
    }
    *out = picked;
    return SSL_TLSEXT_ERR_OK;
}

void apply_common(SSL_CTX* context) {
    ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    ::SSL_CTX_set_mode(context,
                       SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
    ::SSL_CTX_set_read_ahead(context, 1);
    ::SSL_CTX_set_default_read_buffer_len(context, kReadBufferBytes);
}

}  // namespace

struct TlsContext::Sessions {
    std::mutex lock;
    std::unordered_map<std::string, SSL_SESSION*> by_host;

    ~Sessions() {
        for (auto& [host, session] : by_host) {
            ::SSL_SESSION_free(session);
        }
    }
    static int on_new_session(SSL* ssl, SSL_SESSION* session) {
        auto* sessions = static_cast<Sessions*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
        const auto& host = *static_cast<const std::string*>(SSL_get_app_data(ssl));
        const std::lock_guard guard(sessions->lock);
        if (sessions->by_host.size() >= kSessionsMax && !sessions->by_host.contains(host)) {
            return 0;
        }
        SSL_SESSION*& slot = sessions->by_host[host];
        ::SSL_SESSION_free(slot);
        slot = session;
        return 1;  // the reference is ours now
    }
};

TlsContext::TlsContext(ssl_ctx_st* context, bool is_server)
    : context_(context), is_server_(is_server), sessions_(std::make_unique<Sessions>()) {}

TlsContext::~TlsContext() { ::SSL_CTX_free(context_); }

Result<std::shared_ptr<TlsContext>> TlsContext::client(const std::string& ca_file) {
    SSL_CTX* context = ::SSL_CTX_new(::TLS_client_method());
    WEIR_ASSERT(context != nullptr);
    auto made = std::shared_ptr<TlsContext>(new TlsContext(context, false));
    apply_common(context);
    const int loaded = ca_file.empty()
                           ? ::SSL_CTX_set_default_verify_paths(context)
                           : ::SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
    if (loaded != 1) {
        return fail(Code::invalid_config,
                    "The certificate authorities in '" +
                        (ca_file.empty() ? "the system's store" : ca_file) +
                        "' cannot be read: give a PEM file.")
            .detail(openssl_error());
    }
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    ::SSL_CTX_set_alpn_protos(context, kAlpn, sizeof kAlpn);
    ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(context, made->sessions_.get());
    ::SSL_CTX_sess_set_new_cb(context, &Sessions::on_new_session);
    return made;
}

Result<std::shared_ptr<TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                       const std::string& key_file) {
    SSL_CTX* context = ::SSL_CTX_new(::TLS_server_method());
    WEIR_ASSERT(context != nullptr);
    auto made = std::shared_ptr<TlsContext>(new TlsContext(context, true));
    apply_common(context);
    if (::SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
        return fail(Code::invalid_config,
                    "The certificate '" + certificate_file + "' cannot be read: give a PEM file.")
            .detail(openssl_error());
    }
    if (::SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        ::SSL_CTX_check_private_key(context) != 1) {
        return fail(Code::invalid_config,
                    "The key '" + key_file + "' cannot be read or does not fit the certificate '" +
                        certificate_file + "'.")
            .detail(openssl_error());
    }
    ::SSL_CTX_set_alpn_select_cb(context, &select_alpn, nullptr);
    static constexpr unsigned char kSessionContext[] = "weir";
    ::SSL_CTX_set_session_id_context(context, kSessionContext, sizeof kSessionContext - 1);
    return made;
}

// A BIO that is the stream's socket: every recv and send goes through the stream, which keeps its
// readiness flags true, so that OpenSSL never makes a system call that can only say EAGAIN.
struct TlsBio {
    static Stream& stream(BIO* bio) { return *static_cast<Stream*>(::BIO_get_data(bio)); }

    static int read(BIO* bio, char* into, int size) {
        ::BIO_clear_retry_flags(bio);
        Stream& s = stream(bio);
        if (!s.is_readable()) {
            ::BIO_set_retry_read(bio);
            return -1;
        }
        const Io io = s.receive({into, static_cast<std::size_t>(size)});
        switch (io.status) {
            case IoStatus::ok:
                return static_cast<int>(io.bytes);
            case IoStatus::end:
                return 0;
            case IoStatus::would_block:
                ::BIO_set_retry_read(bio);
                return -1;
            case IoStatus::timed_out:
            case IoStatus::cancelled:
            case IoStatus::failed:
                break;
        }
        return -1;
    }
    static int write(BIO* bio, const char* from, int size) {
        ::BIO_clear_retry_flags(bio);
        const std::string_view piece[] = {{from, static_cast<std::size_t>(size)}};
        const Io io = stream(bio).send(piece, 0);
        if (!io.is_ok()) {
            return -1;
        }
        if (io.bytes == 0) {
            ::BIO_set_retry_write(bio);
            return -1;
        }
        return static_cast<int>(io.bytes);
    }
    static long control(BIO* bio, int command, long, void*) {
        return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
    }
    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* m =
                ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weir stream");
            ::BIO_meth_set_read(m, &read);
            ::BIO_meth_set_write(m, &write);
            ::BIO_meth_set_ctrl(m, &control);
            return m;
        }();
        return made;
    }
};

std::unique_ptr<TlsSession> TlsContext::session(const std::string& host) {
    SSL* ssl = ::SSL_new(context_);
    WEIR_ASSERT(ssl != nullptr);
    if (is_server_) {
        ::SSL_set_accept_state(ssl);
    } else {
        ::SSL_set_connect_state(ssl);
        const auto ip = parse_ip(host);
        if (ip) {
            ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), host.c_str());
        } else {
            ::SSL_set1_host(ssl, host.c_str());
            ::SSL_set_tlsext_host_name(ssl, host.c_str());
        }
        const std::lock_guard guard(sessions_->lock);
        const auto found = sessions_->by_host.find(host);
        if (found != sessions_->by_host.end()) {
            ::SSL_set_session(ssl, found->second);
        }
    }
    return std::unique_ptr<TlsSession>(new TlsSession(ssl, shared_from_this(), host));
}

TlsSession::TlsSession(ssl_st* ssl, std::shared_ptr<TlsContext> context, std::string host)
    : ssl_(ssl), context_(std::move(context)), host_(std::move(host)) {
    SSL_set_app_data(ssl_, &host_);  // names the ticket that may come later
}

TlsSession::~TlsSession() {
    // OpenSSL forbids to resume the session of a connection that ends without close_notify. A
    // pooled connection often ends so, and its ticket is as good as ever.
    ::SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ::SSL_free(ssl_);
}

void TlsSession::attach(Stream& stream) {
    stream_ = &stream;
    BIO* bio = ::BIO_new(TlsBio::method());
    WEIR_ASSERT(bio != nullptr);
    ::BIO_set_data(bio, &stream);
    ::BIO_set_init(bio, 1);
    ::SSL_set_bio(ssl_, bio, bio);
}

TlsSession::Step TlsSession::try_handshake() {
    ::ERR_clear_error();
    const int result = ::SSL_do_handshake(ssl_);
    if (result == 1) {
        if (::SSL_has_pending(ssl_) != 0) {
            stream_->descriptor_.mark_ready(aio::Direction::read);
        }
        return Step::done;
    }
    switch (::SSL_get_error(ssl_, result)) {
        case SSL_ERROR_WANT_READ:
            return Step::wants_read;
        case SSL_ERROR_WANT_WRITE:
            return Step::wants_write;
        default:
            return Step::failed;
    }
}

Io TlsSession::try_read(std::span<char> into) {
    ::ERR_clear_error();
    std::size_t total = 0;
    for (;;) {
        std::size_t got = 0;
        const int result = ::SSL_read_ex(ssl_, into.data() + total, into.size() - total, &got);
        if (result == 1) {
            total += got;
            // Records that lie decrypted or whole in OpenSSL's buffer cost no system call: take
            // them along.
            if (total < into.size() && ::SSL_has_pending(ssl_) != 0) {
                continue;
            }
            if (::SSL_has_pending(ssl_) != 0) {
                stream_->descriptor_.mark_ready(aio::Direction::read);
            }
            return {IoStatus::ok, total};
        }
        const int error = ::SSL_get_error(ssl_, result);
        if (total > 0) {
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
                // The end or the fault is met again by the next read, which must not wait for
                // bytes.
                stream_->descriptor_.mark_ready(aio::Direction::read);
            }
            return {IoStatus::ok, total};
        }
        switch (error) {
            case SSL_ERROR_WANT_READ:
            case SSL_ERROR_WANT_WRITE:
                return {IoStatus::would_block};
            case SSL_ERROR_ZERO_RETURN:
                return {IoStatus::end};
            default:
                return {IoStatus::failed};  // a close without close_notify is a truncation
        }
    }
}

Io TlsSession::try_write(Pieces pieces, std::size_t skip) {
    ::ERR_clear_error();
    WEIR_UNINITIALIZED char record[kRecordBytes];
    const std::size_t size = total_size(pieces) - skip;
    std::size_t sent = 0;
    std::size_t piece = 0;
    std::size_t offset = skip;  // in pieces[piece]
    while (sent < size) {
        while (offset >= pieces[piece].size()) {
            offset -= pieces[piece++].size();
        }
        // Pieces are gathered into whole records: each SSL_write is a record and a system call of
        // its own. After a full socket the same bytes must be offered again, not fewer.
        std::size_t filled = 0;
        std::size_t from = offset;
        for (std::size_t at = piece; filled < sizeof record && at < pieces.size(); ++at) {
            const std::string_view rest = pieces[at].substr(from);
            const std::size_t take = std::min(rest.size(), sizeof record - filled);
            std::memcpy(record + filled, rest.data(), take);
            filled += take;
            from = 0;
        }
        std::size_t written = 0;
        const int result = ::SSL_write_ex(ssl_, record, filled, &written);
        if (result != 1) {
            switch (::SSL_get_error(ssl_, result)) {
                case SSL_ERROR_WANT_READ:
                case SSL_ERROR_WANT_WRITE:
                    return {IoStatus::ok, sent};
                default:
                    return {IoStatus::failed, sent};
            }
        }
        // Fewer than offered where the client asked for smaller records (RFC 6066 section 4).
        sent += written;
        offset += written;
    }
    return {IoStatus::ok, sent};
}

void TlsSession::close_notify() {
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_);
    ::ERR_clear_error();
}

std::string TlsSession::failure() const {
    const long verified = ::SSL_get_verify_result(ssl_);
    if (verified != X509_V_OK) {
        return std::string("certificate verify failed: ") +
               ::X509_verify_cert_error_string(verified);
    }
    return ::ERR_peek_last_error() == 0 ? "connection closed or reset" : openssl_error();
}

bool TlsSession::holds_bytes() const { return ::SSL_has_pending(ssl_) == 1; }

bool TlsSession::was_resumed() const { return ::SSL_session_reused(ssl_) == 1; }

}  // namespace weir::net
