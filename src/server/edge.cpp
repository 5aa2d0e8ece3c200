#include "server/edge.h"

#include "pipeline/credential.h"
#include "server/route.h"

namespace weir::server {
namespace {

constexpr std::chrono::seconds kAdminMax{30};

Error wrong_method(const Routed& routed) {
    return Error(Code::method_not_allowed, fmt::format("This path takes {} only.", routed.allow));
}

}  // namespace

aio::Task<void> Edge::handle(net::ServerCall& call) {
    const net::RequestHead& head = call.head();
    const Routed routed = find_route(head.path);
    if (head.method == net::Method::other) {
        co_await pipeline_.refuse(
            call, Error(Code::not_implemented, "There is no such method."), routed.allow, true);
        co_return;
    }
    if (routed.route == Route::none) {
        co_await pipeline_.refuse(
            call,
            Error(Code::not_found,
                  "There is nothing at this path; the API begins at /v1, such as "
                  "/v1/chat/completions."),
            {},
            true);
        co_return;
    }
    if (!is_allowed(routed.allow, head.method_text)) {
        co_await pipeline_.refuse(call, wrong_method(routed), routed.allow, true);
        co_return;
    }
    switch (routed.route) {
        case Route::chat:
            co_await pipeline_.serve(call, llm::Surface::chat);
            break;
        case Route::embeddings:
            co_await pipeline_.serve(call, llm::Surface::embeddings);
            break;
        case Route::models:
        case Route::model:
            co_await pipeline_.list_models(call, routed.item);
            break;
        case Route::admin:
            co_await administer(call);
            break;
        case Route::none:
            break;
    }
}

aio::Task<void> Edge::refuse(net::ServerCall& call, const Error& error) {
    co_await pipeline_.refuse(call, error, {}, false);
}

aio::Task<void> Edge::administer(net::ServerCall& call) {
    const auto reply = co_await ask_admin(call);
    if (reply) {
        co_await pipeline_.answer(call, reply->status, reply->body);
    } else {
        co_await pipeline_.refuse(call, reply.error(), {}, true);
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
