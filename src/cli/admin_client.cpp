#include "cli/admin_client.h"

#include <fmt/format.h>

#include "base/text.h"
#include "net/http_encode.h"
#include "net/upstream.h"

namespace weir::cli {
namespace {

constexpr std::chrono::seconds kConnectMax{5};
constexpr std::chrono::seconds kAnswerMax{60};
constexpr std::size_t kAnswerBytesMax = 64u << 20;

struct Place {
    bool tls = false;
    std::string host;
    std::uint16_t port = 80;
};

// "http://host[:port]" or "https://…", nothing behind it but a slash.
Result<Place> read_url(std::string_view url) {
    const auto bad = [url] {
        return fail(Code::invalid_config,
                    fmt::format("'{}' is no address such as http://127.0.0.1:8080.", url));
    };
    Place place;
    std::string_view rest = url;
    if (rest.starts_with("https://")) {
        place.tls = true;
        place.port = 443;
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
    } else {
        return bad();
    }
    if (rest.ends_with('/')) {
        rest.remove_suffix(1);
    }
    const bool bracketed = rest.starts_with('[');
    const std::size_t host_end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
    if (host_end == std::string_view::npos || rest.find('/') != std::string_view::npos) {
        return bad();
    }
    place.host = bracketed ? rest.substr(1, host_end - 1) : rest.substr(0, host_end);
    rest.remove_prefix(host_end + (bracketed ? 1 : 0));
    if (rest.starts_with(':')) {
        const auto port = parse_decimal(rest.substr(1));
        if (!port || *port == 0 || *port > 65'535) {
            return bad();
        }
        place.port = static_cast<std::uint16_t>(*port);
    } else if (!rest.empty()) {
        return bad();
    }
    if (place.host.empty()) {
        return bad();
    }
    return place;
}

aio::Task<void> exchange_once(net::UpstreamPool& pool,
                              std::string request,
                              net::Method method,
                              Result<Answer>& answer) {
    net::Exchange exchange(pool);
    const net::Timing timing{.connect_max = kConnectMax,
                             .first_byte = aio::Deadline::in(kAnswerMax),
                             .idle_max = kAnswerMax,
                             .total = aio::Deadline::in(kAnswerMax)};
    const std::string_view pieces[] = {request};
    const auto sent = co_await exchange.send(pieces, method, timing);
    if (!sent) {
        answer = std::unexpected(sent.error());
        co_return;
    }
    Answer got{.status = exchange.head().status};
    while (!exchange.is_complete() && got.body.size() < kAnswerBytesMax) {
        const auto bytes = co_await exchange.read_body();
        if (!bytes) {
            answer = std::unexpected(bytes.error());
            co_return;
        }
        got.body += *bytes;
    }
    answer = std::move(got);
}

aio::Task<void> ask_and_close(std::shared_ptr<net::Upstream> upstream,
                              std::string request,
                              net::Method method,
                              Result<Answer>& answer) {
    net::UpstreamPool pool(std::move(upstream));
    co_await exchange_once(pool, std::move(request), method, answer);
}

}  // namespace

Result<Answer> ask(const Server& server,
                   std::string_view method,
                   const std::string& path,
                   const std::string& body) {
    if (server.admin_key.empty()) {
        return fail(Code::invalid_config, "Set WEIR_ADMIN_KEY to the gateway's admin key.");
    }
    WEIR_TRY(const Place place, read_url(server.url));
    net::UpstreamOptions options{.host = place.host, .port = place.port};
    if (place.tls) {
        WEIR_TRY(options.tls, net::TlsContext::client(server.ca_file));
    }
    aio::BlockingPool pool("resolver", 1, 4);
    net::Resolver resolver(pool);
    auto upstream = std::make_shared<net::Upstream>(options, resolver);
    std::string request = fmt::format("{} {} HTTP/1.1\r\n", method, path);
    net::append_field(request, "host", upstream->authority());
    net::append_field(
        request, "authorization", fmt::format("Bearer {}", server.admin_key.reveal()));
    if (!body.empty()) {
        net::append_field(request, "content-type", "application/json");
        net::append_field(request, "content-length", std::uint64_t{body.size()});
    }
    request += "\r\n" + body;
    Result<Answer> answer = fail(Code::internal, "No answer.");
    aio::Reactor reactor;
    const net::Method known = method == "GET"    ? net::Method::get
                              : method == "POST" ? net::Method::post
                                                 : net::Method::delete_;
    reactor.run(ask_and_close(std::move(upstream), std::move(request), known, answer));
    pool.stop();
    if (!answer && answer.error().code() == Code::upstream_unavailable) {
        return fail(Code::upstream_unavailable,
                    fmt::format("No gateway answers at {}: is it running?", server.url))
            .detail(answer.error().detail());
    }
    return answer;
}

}  // namespace weir::cli
