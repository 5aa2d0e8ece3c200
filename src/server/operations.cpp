#include "server/operations.h"

#include "net/http_encode.h"

namespace weir::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace

aio::Task<void> Operations::handle(net::ServerCall& call) {
    const net::RequestHead& head = call.head();
    const std::string_view path = head.path;
    const bool known = path == "/metrics" || path == "/livez" || path == "/readyz";
    if (!known) {
        co_await answer(call, 404, kText, "Here are /metrics, /livez and /readyz.\n");
    } else if (head.method != net::Method::get && head.method != net::Method::head) {
        co_await answer(call, 405, kText, "GET and HEAD only.\n");
    } else if (path == "/metrics") {
        co_await answer(call, 200, kMetricsText, metrics_.scrape());
    } else if (path == "/livez") {
        co_await answer(call, 200, kText, "alive\n");
    } else {
        const auto why_not = why_not_ready_();
        co_await answer(call, why_not ? 503 : 200, kText, why_not ? *why_not + "\n" : "ready\n");
    }
}

aio::Task<void> Operations::refuse(net::ServerCall& call, const Error& error) {
    std::string head;
    net::append_status_line(head, info(error.code()).status);
    head += "connection: close\r\ncontent-length: 0\r\n\r\n";
    const std::string_view pieces[] = {head};
    const net::Io io = co_await call.write_copying(pieces);
    if (io.is_ok()) {
        call.finish();
    }
}

aio::Task<void> Operations::answer(net::ServerCall& call,
                                   int status,
                                   std::string_view type,
                                   std::string body) {
    std::string head;
    net::append_status_line(head, status);
    net::append_field(head, "content-type", type);
    net::append_field(head, "content-length", std::uint64_t{body.size()});
    if (status == 405) {
        net::append_field(head, "allow", "GET, HEAD");
    }
    if (!call.keeps_alive()) {
        head += "connection: close\r\n";
    }
    head += "\r\n";
    const bool has_body = call.head().method != net::Method::head;
    const std::string_view pieces[] = {head,
                                       has_body ? std::string_view(body) : std::string_view{}};
    const net::Io io = co_await call.write(pieces);
    if (io.is_ok()) {
        call.finish();
    }
}

}  // namespace weir::server
