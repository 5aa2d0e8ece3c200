// /api/v1/usage
#include <limits>

#include "admin/api.h"
#include "admin/fields.h"
#include "base/money.h"
#include "base/timestamp.h"

namespace weir::admin {
namespace {

constexpr std::size_t kPageDefault = 100;
constexpr std::size_t kKeysPage = 1000;

// Dollars as text: a JSON number would be read as a double, and cents would be lost.
Json cost_of(const std::optional<std::int64_t>& nano_usd) {
    return nano_usd ? Json(to_text(Money::from_nano_usd(*nano_usd))) : Json(nullptr);
}

Json to_json(const store::Call& call, const std::string& key) {
    return {{"request_id", to_text(call.request_id)},
            {"object", "usage"},
            {"created_at", to_rfc3339(call.created_at)},
            {"tenant_id", call.tenant_id},
            {"key_id", key.empty() ? Json(nullptr) : Json(key)},
            {"surface", call.surface},
            {"model", call.model},
            {"provider", call.provider},
            {"code", call.code},
            {"status", call.status},
            {"stream", call.streamed},
            {"input_tokens", call.input_tokens},
            {"cache_read_tokens", call.cache_read_tokens},
            {"cache_write_tokens", call.cache_write_tokens},
            {"output_tokens", call.output_tokens},
            {"reasoning_tokens", call.reasoning_tokens},
            {"estimated", call.estimated},
            {"cost_usd", cost_of(call.cost_nano_usd)},
            {"hold_tokens", call.hold_tokens},
            {"ttft_us", call.ttft_us ? Json(*call.ttft_us) : Json(nullptr)},
            {"total_us", call.total_us},
            {"overhead_us", call.overhead_us}};
}

Json to_json(const store::Attempt& attempt) {
    return {{"provider", attempt.provider},
            {"model", attempt.model},
            {"code", attempt.code},
            {"status", attempt.status},
            {"started_at", to_rfc3339(attempt.started_at)},
            {"duration_us", attempt.duration_us},
            {"input_tokens", attempt.input_tokens},
            {"output_tokens", attempt.output_tokens},
            {"cost_usd", cost_of(attempt.cost_nano_usd)}};
}

}  // namespace

Result<std::string> Api::public_id(std::int64_t key_id) {
    if (key_id == 0) {
        return std::string();
    }
    const std::lock_guard lock(lock_);
    if (const auto known = public_ids_.find(key_id); known != public_ids_.end()) {
        return known->second;
    }
    std::int64_t last = public_ids_.empty() ? 0 : public_ids_.rbegin()->first;
    for (;;) {
        WEIR_TRY(const auto keys, keys_.list(last, kKeysPage));
        for (const store::Key& key : keys) {
            public_ids_.emplace(key.id, to_text(key.public_id));
            last = key.id;
        }
        if (keys.size() < kKeysPage) {
            break;
        }
    }
    const auto found = public_ids_.find(key_id);
    return found == public_ids_.end() ? std::string() : found->second;
}

// Newest first; `next` is the cursor of the following page.
Result<Reply> Api::list_usage(const Request& request) {
    WEIR_TRY(const Query query,
             read_query(request.query,
                        {"limit", "before", "model", "provider", "code", "key_id", "from", "to"}));
    store::UsageFilter filter;
    WEIR_TRY(const auto limit, number_of(query, "limit", 1, store::kUsagePageMax));
    filter.limit = static_cast<std::size_t>(limit.value_or(kPageDefault));
    WEIR_TRY(filter.before_id,
             number_of(query, "before", 0, std::numeric_limits<std::int64_t>::max()));
    filter.model = find(query, "model");
    filter.provider = find(query, "provider");
    filter.code = find(query, "code");
    WEIR_TRY(filter.from, time_of(query, "from"));
    WEIR_TRY(filter.to, time_of(query, "to"));
    if (const auto key_id = find(query, "key_id")) {
        const auto id = parse_uuid(*key_id);
        if (!id) {
            return fail(Code::invalid_request, "'key_id' must be the id of a key.")
                .parameter("key_id");
        }
        WEIR_TRY(const auto key, keys_.find(*id));
        if (!key) {
            return fail(Code::not_found, "There is no such key.");
        }
        filter.key_id = key->id;
    }
    WEIR_TRY(const auto page, usage_.page(filter));
    Json data = Json::array();
    for (const store::Call& call : page.calls) {
        WEIR_TRY(const auto key, public_id(call.key_id));
        data.push_back(to_json(call, key));
    }
    const Json next =
        page.next_before_id ? Json(std::to_string(*page.next_before_id)) : Json(nullptr);
    return Reply{.body =
                     write(Json{{"object", "list"}, {"data", std::move(data)}, {"next", next}})};
}

Result<Reply> Api::show_usage(const Uuid& request_id) {
    WEIR_TRY(const auto call, usage_.find(request_id));
    if (!call) {
        return fail(Code::not_found,
                    "There is no usage of such a request (a call that has just ended is written "
                    "within a second).");
    }
    WEIR_TRY(const auto key, public_id(call->key_id));
    Json json = to_json(*call, key);
    json["attempts"] = Json::array();
    for (const store::Attempt& attempt : call->attempts) {
        json["attempts"].push_back(to_json(attempt));
    }
    return Reply{.body = write(json)};
}

}  // namespace weir::admin
