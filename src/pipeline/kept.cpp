// What a provider keeps: its ids are written down when they are made, lead back to it when a client
// sends them, and what they name is fetched, cancelled and deleted there.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "net/http_encode.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {

namespace {

constexpr std::chrono::seconds kFetchConnectMax{2};
constexpr std::chrono::seconds kFetchMax{60};

// The same words whether it is another tenant's or nobody's.
Failure no_such_file(const dialect::ProviderId& named) {
    return fail(
               Code::not_found,
               fmt::format("There is no '{}' for this API key: it names what an answer to it made, "
                           "nothing else. Send the content itself.",
                           named.id))
        .parameter(std::string(named.parameter));
}

Failure no_such_item(std::string_view id) {
    return fail(Code::not_found,
                fmt::format("There is no '{}' for this API key: send the item itself. SDKs do "
                            "where they are told 'store: false'.",
                            id))
        .parameter("input");
}

Failure nothing_kept(std::string_view id, std::string_view parameter) {
    return fail(Code::not_found, fmt::format("There is no '{}' for this API key.", id))
        .parameter(std::string(parameter));
}

}  // namespace

void Pipeline::keep_ids(Call& call, const MadeIds& ids) {
    if (call.way.is_translated) {
        return;  // the client does not learn them
    }
    const std::int64_t tenant = call.who->key().tenant_id;
    const std::string& key = call.provider->credentials()[call.attempt.credential].name;
    const auto keep = [&](const std::vector<std::string>& made) {
        for (const std::string& id : made) {
            if (id.empty() || id.size() > kKeptIdBytesMax) {
                continue;
            }
            services_.kept_ids.remember(
                id, {.tenant_id = tenant, .provider = call.provider->name(), .credential = key});
            services_.ledger.kept(thread_,
                                  {.tenant_id = tenant,
                                   .made_at = services_.clock.wall_now(),
                                   .provider = call.provider->name(),
                                   .credential = key,
                                   .id = id});
        }
    };
    keep(ids.kept);
    // An answer also names files that it only read, which are everybody's there.
    if (!call.provider->has_shared_files()) {
        keep(ids.files);
    }
}

// Ids in a request: all must be the tenant's, and of the provider that the model leads to.
aio::Task<Result<void>> Pipeline::check_kept(Call& call) {
    const auto& ids = call.request->provider_ids;
    if (ids.size() > dialect::kProviderIdsMax) {
        co_return fail(Code::invalid_request,
                       fmt::format("More than {} files and responses are named by their ids; send "
                                   "fewer, or their content.",
                                   dialect::kProviderIdsMax))
            .parameter(std::string(ids.front().parameter));
    }
    // Wherever the call may go.
    const auto candidates = call.runtime().catalog.candidates(call.resolved);
    const bool are_files_shared =
        std::all_of(candidates.begin(), candidates.end(), [&call](const router::Target* target) {
            return call.runtime().providers[target->provider]->has_shared_files();
        });
    for (const dialect::ProviderId& named : ids) {
        if (named.is_file && are_files_shared) {
            continue;
        }
        WEIR_CO_TRY(const auto keeper,
                    co_await services_.kept_ids.find(named.id, call.who->key().tenant_id));
        if (!keeper) {
            co_return named.is_file          ? no_such_file(named)
            : !named.id.starts_with("resp_") ? no_such_item(named.id)
                                             : nothing_kept(named.id, named.parameter);
        }
        if (!pin_to(call, keeper->provider)) {
            co_return fail(Code::invalid_request,
                           fmt::format("'{}' is kept by another provider than that of the model "
                                       "'{}'; name the model it was made with.",
                                       named.id,
                                       call.asked_model))
                .parameter("model");
        }
        if (!pin_to_key(call, keeper->credential)) {
            co_return fail(Code::invalid_request,
                           fmt::format("'{}' was made with another key of the provider than what "
                                       "else is named here; send the content itself.",
                                       named.id))
                .parameter(std::string(named.parameter));
        }
    }
    co_return Result<void>{};
}

aio::Task<void> Pipeline::serve_kept(net::ServerCall& http, Kept kept) {
    Call call(http,
              generation_,
              {.surface = llm::Surface::responses, .dialect = llm::Dialect::openai_responses},
              "responses",
              services_.clock);
    const auto outcome = co_await run_kept(call, kept);
    if (!outcome) {
        settle_failed(call, outcome.error());
        co_await send_error(call, outcome.error(), {});
    }
    observe(call);
}

aio::Task<Result<void>> Pipeline::run_kept(Call& call, const Kept& kept) {
    // The same door as for calls that cost something.
    WEIR_CO_TRY(call.runtime().limits.check_address(call.http.client().bytes,
                                                    services_.clock.steady_now()));
    WEIR_CO_TRY(co_await identify(call));
    WEIR_CO_TRY(enter(call));
    WEIR_CO_TRY(const auto keeper,
                co_await services_.kept_ids.find(kept.id, call.who->key().tenant_id));
    std::size_t index = 0;
    while (index < call.runtime().providers.size() &&
           (!keeper || call.runtime().providers[index]->name() != keeper->provider)) {
        ++index;
    }
    if (index == call.runtime().providers.size()) {
        co_return nothing_kept(kept.id, "id");
    }
    const provider::Provider& provider = *call.runtime().providers[index];
    const auto way = provider.way(llm::Surface::responses, llm::Dialect::openai_responses);
    if (!way || way->is_translated) {
        co_return nothing_kept(kept.id, "id");
    }
    std::string head;
    const std::size_t key = provider.find_credential(keeper->credential).value_or(0);
    provider.begin_item_head(*way, kept.method, kept.id + kept.rest, key, head);
    net::append_field(head, "content-length", std::uint64_t{0});
    head += "\r\n";
    WEIR_UNINITIALIZED net::Exchange exchange(*call.generation->pools[index]);
    const aio::Deadline total = aio::Deadline::in(kFetchMax);
    const net::Timing timing{.connect_max = kFetchConnectMax,
                             .first_byte = total,
                             .idle_max = kFetchMax,
                             .total = total};
    const std::string_view pieces[] = {head};
    WEIR_CO_TRY(co_await exchange.send(pieces, kept.net_method, timing));
    const int status = exchange.head().status;
    std::string body;
    while (!exchange.is_complete()) {
        const auto bytes = co_await exchange.read_body();
        if (!bytes) {
            co_return std::unexpected(bytes.error());
        }
        body += *bytes;
        if (body.size() > kAnswerBytesMax) {
            co_return dialect::unusable_answer("the answer is too large");
        }
    }
    if (status < 200 || status > 299) {
        // What is gone there is gone here.
        if (status == 404) {
            co_return nothing_kept(kept.id, "id");
        }
        co_return std::unexpected(dialect::provider_edge(llm::Dialect::openai_responses)
                                      .decode_error({.status = status, .body = body}));
    }
    if (kept.net_method == net::Method::delete_) {
        WEIR_CO_TRY(co_await services_.kept_ids.forget(kept.id));
    }
    const std::string_view answer[] = {body};
    co_return co_await send_whole(call, 200, "application/json", answer);
}

}  // namespace weir::pipeline
