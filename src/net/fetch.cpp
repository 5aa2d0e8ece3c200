#include "net/fetch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text.h"
#include "net/http_encode.h"
#include "net/upstream.h"

namespace weir::net {
namespace {

// All addresses of a host share it: one that is not there must not use up the whole time.
constexpr std::chrono::seconds kConnectMax{5};
// Longer types are none.
constexpr std::size_t kTypeBytesMax = 127;

// The words of upstream.h are about providers; here the other side is a file's host.
Error as_clause(const Error& error) {
    const auto say = [&error](std::string_view clause) {
        return Error(error.code(), std::string(clause)).with_detail(error.detail());
    };
    switch (error.code()) {
        case Code::upstream_timeout:
            return say("its host did not answer in time");
        case Code::upstream_unavailable:
            return say("its host cannot be reached");
        case Code::upstream_invalid_response:
            return say("its host gave an answer that cannot be used");
        default:
            return error;
    }
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Empty: it says none that is one.
std::string type_of(const ResponseHead& head) {
    const std::string_view field = head.find(KnownHeader::content_type);
    std::string type(trim(field.substr(0, field.find(';'))));
    std::transform(type.begin(), type.end(), type.begin(), to_lower);
    const bool good =
        type.size() <= kTypeBytesMax && std::all_of(type.begin(), type.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                   std::string_view("/+-._").find(c) != std::string_view::npos;
        });
    return good ? type : std::string{};
}

Failure too_large(std::size_t bytes_max) {
    return fail(Code::payload_too_large,
                fmt::format("it is larger than the {} bytes allowed", bytes_max));
}

}  // namespace

Fetcher::Fetcher(FetchOptions options, Resolver& resolver)
    : options_(std::move(options)),
      accept_(fmt::format("{}", fmt::join(options_.types, ", "))),
      resolver_(resolver) {}

aio::Task<Result<Fetched>> Fetcher::get(std::string url,
                                        TakeBytes take,
                                        aio::Deadline deadline) const {
    WEIR_CO_TRY(WebUrl at, parse_web_url(url));
    for (std::size_t redirects = 0;; ++redirects) {
        WEIR_CO_TRY(check_scheme(options_.rules, at));
        auto answer = co_await ask(at, take, deadline);
        if (!answer) {
            co_return std::unexpected(as_clause(answer.error()));
        }
        if (answer->location.empty()) {
            co_return std::move(answer->file);
        }
        if (redirects == kRedirectsMax) {
            co_return fail(Code::upstream_invalid_response, "it is redirected too often");
        }
        WEIR_CO_TRY(at, resolve_reference(at, answer->location));
    }
}

aio::Task<Result<Addresses>> Fetcher::locate(std::string host,
                                             std::uint16_t port,
                                             aio::Deadline deadline) const {
    auto found = co_await resolver_.resolve(host, deadline);
    if (!found) {
        const Error& error = found.error();
        // The pool's own words for a look-up that takes too long are about a client.
        if (error.code() == Code::request_timeout) {
            co_return fail(Code::upstream_timeout, "").detail("resolving " + host);
        }
        co_return std::unexpected(error);
    }
    WEIR_CO_TRY(check_addresses(options_.rules, **found, port));
    co_return std::move(*found);
}

aio::Task<Result<Fetcher::Answer>> Fetcher::ask(WebUrl url,
                                                TakeBytes take,
                                                aio::Deadline deadline) const {
    WEIR_CO_TRY(auto addresses, co_await locate(url.host, url.port, deadline));
    // Of this one exchange: nothing is kept for the next stranger.
    UpstreamPool pool(
        std::make_shared<Upstream>(UpstreamOptions{.host = url.host,
                                                   .port = url.port,
                                                   .tls = url.tls ? options_.tls : nullptr,
                                                   .addresses = std::move(addresses),
                                                   .connections_max = 1},
                                   resolver_));
    Exchange exchange(pool);
    const std::string request = request_of(url, pool.upstream().authority());
    const std::string_view pieces[] = {request};
    const Timing timing{.connect_max = kConnectMax,
                        .first_byte = deadline,
                        .idle_max = std::chrono::hours{1},  // the deadline comes first
                        .total = deadline};
    WEIR_CO_TRY(co_await exchange.send(pieces, Method::get, timing));

    const ResponseHead& head = exchange.head();
    Answer answer;
    if (is_redirect(head.status)) {
        answer.location = head.find("location");
        if (answer.location.empty()) {
            co_return fail(Code::upstream_invalid_response, "").detail("redirect to nowhere");
        }
        co_return answer;
    }
    if (head.status != 200) {
        // The status is the client's to know: it says whether the file is gone or not for us.
        co_return fail(Code::upstream_error,
                       fmt::format("its host answered with status {}", head.status));
    }
    const std::string_view encoding = head.find(KnownHeader::content_encoding);
    if (!encoding.empty() && !equals_ignoring_case(encoding, "identity")) {
        co_return fail(Code::upstream_invalid_response, "").detail("content-encoding unasked for");
    }
    answer.file.type = type_of(head);
    if (!takes(answer.file.type)) {
        co_return fail(
            Code::unsupported_media_type,
            answer.file.type.empty()
                ? "its host does not say of what type it is"
                : fmt::format(
                      "it is of type '{}', and allowed here are {}", answer.file.type, accept_));
    }
    if (head.content_length.value_or(0) > options_.bytes_max) {
        co_return too_large(options_.bytes_max);
    }
    std::string& bytes = answer.file.bytes;
    while (!exchange.is_complete()) {
        WEIR_CO_TRY(const std::string_view more, co_await exchange.read_body());
        if (more.size() > options_.bytes_max - bytes.size()) {
            co_return too_large(options_.bytes_max);
        }
        WEIR_CO_TRY(take(more.size()));
        bytes += more;
    }
    if (bytes.empty()) {
        co_return fail(Code::upstream_invalid_response, "").detail("an empty file");
    }
    co_return answer;
}

std::string Fetcher::request_of(const WebUrl& url, const std::string& authority) const {
    std::string head = "GET " + url.target + " HTTP/1.1\r\n";
    append_field(head, "host", authority);
    append_field(head, "accept", accept_);
    append_field(head, "accept-encoding", "identity");
    append_field(head, "user-agent", "weir");  // some hosts answer nobody who has no name
    append_field(head, "connection", "close");
    return head + "\r\n";
}

bool Fetcher::takes(std::string_view type) const {
    return std::any_of(options_.types.begin(), options_.types.end(), [type](std::string_view one) {
        const std::string_view family = one.substr(0, one.size() - 1);
        return one.ends_with("/*") ? type.size() > family.size() && type.starts_with(family)
                                   : type == one;
    });
}

}  // namespace weir::net
