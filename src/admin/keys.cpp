// /api/v1/keys
#include <limits>

#include "admin/api.h"
#include "admin/fields.h"
#include "auth/key.h"
#include "base/timestamp.h"

namespace weir::admin {
namespace {

constexpr std::size_t kPageMax = 1000;
constexpr std::size_t kPageDefault = 100;
constexpr std::int64_t kRateMax = 1'000'000'000;

const std::vector<std::string_view> kFields = {"name",
                                               "allowed_models",
                                               "allowed_providers",
                                               "may_pin",
                                               "priority",
                                               "tags",
                                               "requests_per_minute",
                                               "concurrency_max",
                                               "expires_at"};

template <class T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json time_or_null(const std::optional<WallTime>& time) {
    return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

// The secret itself is nowhere: it was shown once, when the key was made.
Json to_json(const store::Key& key) {
    return {{"id", to_text(key.public_id)},
            {"object", "key"},
            {"name", key.name},
            {"prefix", key.prefix},
            {"tenant_id", key.tenant_id},
            {"allowed_models", key.allowed_models},
            {"allowed_providers", key.allowed_providers},
            {"may_pin", key.may_pin},
            {"priority", key.priority},
            {"tags", key.tags},
            {"requests_per_minute", or_null(key.requests_per_minute)},
            {"concurrency_max", or_null(key.concurrency_max)},
            {"created_at", to_rfc3339(key.created_at)},
            {"expires_at", time_or_null(key.expires_at)},
            {"revoked_at", time_or_null(key.revoked_at)}};
}

}  // namespace

Result<Api::MadeKey> Api::make_key(store::Key facts, Secret secret) {
    facts.public_id = make_uuid_v7(clock_.wall_now());
    facts.prefix = auth::key_prefix(secret.reveal());
    facts.digest = authenticator_.stored_digest(secret.reveal());
    facts.created_at = clock_.wall_now();
    WEIR_TRY(auto record, keys_.insert(std::move(facts)));
    return MadeKey{.secret = std::move(secret), .record = std::move(record)};
}

Result<Reply> Api::create_key(const Request& request) {
    WEIR_TRY(const Json object, read_object(request.body, kFields));
    store::Key key;
    WEIR_TRY(const auto name, text_field(object, "name"));
    key.name = name.value_or("");
    WEIR_TRY(key.allowed_models, texts_field(object, "allowed_models"));
    WEIR_TRY(key.allowed_providers, texts_field(object, "allowed_providers"));
    WEIR_TRY(const auto may_pin, flag_field(object, "may_pin"));
    key.may_pin = may_pin.value_or(false);
    WEIR_TRY(const auto priority, number_field(object, "priority", -1000, 1000));
    key.priority = priority.value_or(0);
    WEIR_TRY(key.tags, texts_field(object, "tags"));
    WEIR_TRY(key.requests_per_minute, number_field(object, "requests_per_minute", 1, kRateMax));
    WEIR_TRY(key.concurrency_max, number_field(object, "concurrency_max", 1, kRateMax));
    WEIR_TRY(key.expires_at, time_field(object, "expires_at"));
    WEIR_TRY(const auto made, make_key(std::move(key), auth::make_key()));
    Json reply = to_json(made.record);
    reply["key"] = std::string(made.secret.reveal());
    return Reply{.status = 201, .body = write(reply)};
}

// Oldest first; `next` is the cursor of the following page.
Result<Reply> Api::list_keys(const Request& request) {
    WEIR_TRY(const Query query, read_query(request.query, {"limit", "after"}));
    WEIR_TRY(const auto limit, number_of(query, "limit", 1, kPageMax));
    WEIR_TRY(const auto after,
             number_of(query, "after", 0, std::numeric_limits<std::int64_t>::max()));
    const auto page = static_cast<std::size_t>(limit.value_or(kPageDefault));
    // One more than asked for says whether there is a following page.
    WEIR_TRY(auto keys, keys_.list(after.value_or(0), page + 1));
    const bool has_more = keys.size() > page;
    if (has_more) {
        keys.pop_back();
    }
    Json data = Json::array();
    for (const store::Key& key : keys) {
        data.push_back(to_json(key));
    }
    const Json next = has_more ? Json(std::to_string(keys.back().id)) : Json(nullptr);
    return Reply{.body =
                     write(Json{{"object", "list"}, {"data", std::move(data)}, {"next", next}})};
}

Result<Reply> Api::show_key(const Uuid& id) {
    WEIR_TRY(const auto key, keys_.find(id));
    if (!key) {
        return fail(Code::not_found, "There is no such key.");
    }
    return Reply{.body = write(to_json(*key))};
}

Result<Reply> Api::revoke_key(const Uuid& id) {
    WEIR_TRY(const bool found, keys_.revoke(id, clock_.wall_now()));
    if (!found) {
        return fail(Code::not_found, "There is no such key.");
    }
    // Durable now: every cached verdict of this process is void at once.
    authenticator_.revoke(id);
    return show_key(id);
}

}  // namespace weir::admin
