#include "server/edge.h"

#include "pipeline/credential.h"
#include "server/route.h"

namespace weir::server {
namespace {

constexpr std::chrono::seconds kAdminMax{30};

Error wrong_method(const Routed& routed) {
    return Error(Code::method_not_allowed, fmt::format("This path takes {} only.", routed.allow));
}

// Three dialects list their models at one path: the fields of the client say which it is
// (API-MAPPING section 2).
llm::Dialect dialect_of_models(const net::RequestHead& head, const Routed& routed) {
    if (routed.dialect == llm::Dialect::gemini || !head.find("x-goog-api-key").empty() ||
        !query_value(head.query, "key").empty()) {
        return head.find("anthropic-version").empty() ? llm::Dialect::gemini
                                                      : llm::Dialect::anthropic;
    }
    return head.find("anthropic-version").empty() ? routed.dialect : llm::Dialect::anthropic;
}

}  // namespace

aio::Task<void> Edge::handle(net::ServerCall& call) {
    const net::RequestHead& head = call.head();
    const Routed routed = find_route(head.path);
    if (head.method == net::Method::other) {
        co_await pipeline_.refuse(call,
                                  routed.dialect,
                                  Error(Code::not_implemented, "There is no such method."),
                                  routed.allow,
                                  true);
        co_return;
    }
    if (routed.route == Route::none) {
        co_await pipeline_.refuse(
            call,
            routed.dialect,
            Error(Code::not_found,
                  "There is nothing at this path; the API begins at /v1, such as "
                  "/v1/chat/completions."),
            {},
            true);
        co_return;
    }
    if (!is_allowed(routed.allow, head.method_text)) {
        co_await pipeline_.refuse(call, routed.dialect, wrong_method(routed), routed.allow, true);
        co_return;
    }
    switch (routed.route) {
        case Route::call:
            co_await pipeline_.serve(
                call,
                {.surface = routed.surface,
                 .operation = routed.operation,
                 .dialect = routed.dialect,
                 .model = routed.item,
                 .stream = routed.stream,
                 .as_json_array = routed.stream && query_value(head.query, "alt") != "sse"});
            break;
        case Route::kept: {
            // Asked by HEAD it is fetched all the same: only the answer's body stays away.
            const bool is_get = head.method == net::Method::get || head.method == net::Method::head;
            std::string rest(routed.rest);
            if (!head.query.empty()) {
                rest += '?';
                rest += head.query;
            }
            co_await pipeline_.serve_kept(call,
                                          {.method = is_get ? "GET" : head.method_text,
                                           .net_method = is_get ? net::Method::get : head.method,
                                           .id = routed.item,
                                           .rest = std::move(rest)});
            break;
        }
        case Route::models:
        case Route::model:
            co_await pipeline_.list_models(call, dialect_of_models(head, routed), routed.item);
            break;
        case Route::admin:
            co_await administer(call);
            break;
        case Route::none:
            break;
    }
}

aio::Task<void> Edge::refuse(net::ServerCall& call, const Error& error) {
    co_await pipeline_.refuse(call, llm::Dialect::openai_chat, error, {}, false);
}

aio::Task<void> Edge::administer(net::ServerCall& call) {
    const auto reply = co_await ask_admin(call);
    if (reply) {
        co_await pipeline_.answer(call, reply->status, reply->body);
    } else {
        co_await pipeline_.refuse(call, llm::Dialect::openai_chat, reply.error(), {}, true);
    }
}

aio::Task<Result<admin::Reply>> Edge::ask_admin(net::ServerCall& call) {
    const net::RequestHead& head = call.head();
    const std::string_view credential = pipeline::credential_of(head);
    // The good key passes, whoever else guesses from its address.
    if (!admin_key_.matches(authenticator_, credential)) {
        WEIR_CO_TRY(pipeline_.check_guesses(call.client()));
        if (!credential.empty()) {
            pipeline_.count_guess(call.client());
        }
        co_return fail(Code::invalid_api_key,
                       "The admin API needs the admin key: send it as 'Authorization: Bearer …'.");
    }
    admin::Request request{.method = std::string(head.method_text),
                           .path = std::string(head.path),
                           .query = std::string(head.query)};
    const auto body = co_await call.read_body(admin::kBodyBytesMax);
    if (!body) {
        co_return std::unexpected(body.error());
    }
    request.body = *body;
    co_return co_await pool_.run(
        [&api = api_, request = std::move(request)] { return api.handle(request); },
        aio::Deadline::in(kAdminMax));
}

}  // namespace weir::server
