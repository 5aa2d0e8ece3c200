#include "store/keys.h"

#include <soci/soci.h>

#include <nlohmann/json.hpp>

namespace weir::store {
namespace {

constexpr const char* kColumns =
    "SELECT id, public_id, tenant_id, name, prefix, digest, allowed_models, allowed_providers, "
    "may_pin, priority, "
    "tags, requests_per_minute, concurrency_max, created_us, expires_us, revoked_us FROM api_keys ";

std::string to_json(const std::vector<std::string>& words) { return nlohmann::json(words).dump(); }
std::vector<std::string> from_json(const std::string& text) {
    return nlohmann::json::parse(text).get<std::vector<std::string>>();
}

// Bound one by one: SOCI's dynamic rows truncate 64-bit numbers of SQLite.
struct Columns {
    long long id = 0, tenant_id = 0, may_pin = 0, priority = 0, created_us = 0;
    long long requests_per_minute = 0, concurrency_max = 0, expires_us = 0, revoked_us = 0;
    soci::indicator has_requests = soci::i_null, has_concurrency = soci::i_null;
    soci::indicator has_expiry = soci::i_null, has_revoked = soci::i_null;
    std::string public_id, name, prefix, digest, allowed_models, allowed_providers, tags;

    void bind(soci::statement& statement) {
        using soci::into;
        statement.exchange(into(id));
        statement.exchange(into(public_id));
        statement.exchange(into(tenant_id));
        statement.exchange(into(name));
        statement.exchange(into(prefix));
        statement.exchange(into(digest));
        statement.exchange(into(allowed_models));
        statement.exchange(into(allowed_providers));
        statement.exchange(into(may_pin));
        statement.exchange(into(priority));
        statement.exchange(into(tags));
        statement.exchange(into(requests_per_minute, has_requests));
        statement.exchange(into(concurrency_max, has_concurrency));
        statement.exchange(into(created_us));
        statement.exchange(into(expires_us, has_expiry));
        statement.exchange(into(revoked_us, has_revoked));
    }
    Key key() const {
        const auto number = [](soci::indicator present, long long value) {
            return present == soci::i_ok ? std::optional<std::int64_t>(value) : std::nullopt;
        };
        const auto time = [](soci::indicator present, long long value) {
            return present == soci::i_ok ? std::optional(wall_from_micros(value)) : std::nullopt;
        };
        return Key{.id = id,
                   .public_id = parse_uuid(public_id).value_or(Uuid{}),
                   .tenant_id = tenant_id,
                   .name = name,
                   .prefix = prefix,
                   .digest = digest,
                   .allowed_models = from_json(allowed_models),
                   .allowed_providers = from_json(allowed_providers),
                   .may_pin = may_pin != 0,
                   .priority = priority,
                   .tags = from_json(tags),
                   .requests_per_minute = number(has_requests, requests_per_minute),
                   .concurrency_max = number(has_concurrency, concurrency_max),
                   .created_at = wall_from_micros(created_us),
                   .expires_at = time(has_expiry, expires_us),
                   .revoked_at = time(has_revoked, revoked_us)};
    }
};

template <class... Uses>
std::vector<Key> select(soci::session& sql, const std::string& where, const Uses&... uses) {
    std::vector<Key> keys;
    Columns columns;
    soci::statement statement(sql);
    statement.alloc();
    statement.prepare(kColumns + where);
    (statement.exchange(soci::use(uses)), ...);
    columns.bind(statement);
    statement.define_and_bind();
    statement.execute(false);
    while (statement.fetch()) {
        keys.push_back(columns.key());
    }
    return keys;
}

std::optional<Key> first(std::vector<Key> keys) {
    return keys.empty() ? std::nullopt : std::optional(std::move(keys.front()));
}

}  // namespace

Result<Key> Keys::insert(Key key) {
    WEIR_TRY(database_.write([&](soci::session& sql) -> Result<void> {
        const std::string public_id = to_text(key.public_id);
        const std::string models = to_json(key.allowed_models);
        const std::string providers = to_json(key.allowed_providers);
        const std::string tags = to_json(key.tags);
        const long long tenant = key.tenant_id;
        const long long pin = key.may_pin ? 1 : 0;
        const long long priority = key.priority;
        const long long created = micros(key.created_at);
        const auto present = [](bool has) { return has ? soci::i_ok : soci::i_null; };
        const long long requests = key.requests_per_minute.value_or(0);
        const long long concurrency = key.concurrency_max.value_or(0);
        const long long expires = key.expires_at ? micros(*key.expires_at) : 0;
        soci::indicator has_requests = present(key.requests_per_minute.has_value());
        soci::indicator has_concurrency = present(key.concurrency_max.has_value());
        soci::indicator has_expiry = present(key.expires_at.has_value());
        sql << "INSERT INTO api_keys(public_id, tenant_id, name, prefix, digest, allowed_models, "
               "allowed_providers, "
               "may_pin, priority, tags, requests_per_minute, concurrency_max, created_us, "
               "expires_us) "
               "VALUES(:pid, :tenant, :name, :prefix, :digest, :models, :providers, :pin, "
               ":priority, :tags, :rpm, "
               ":conc, :created, :expires)",
            soci::use(public_id), soci::use(tenant), soci::use(key.name), soci::use(key.prefix),
            soci::use(key.digest), soci::use(models), soci::use(providers), soci::use(pin),
            soci::use(priority), soci::use(tags), soci::use(requests, has_requests),
            soci::use(concurrency, has_concurrency), soci::use(created),
            soci::use(expires, has_expiry);
        long long id = 0;
        sql << "SELECT id FROM api_keys WHERE public_id = :pid", soci::use(public_id),
            soci::into(id);
        key.id = id;
        return {};
    }));
    return key;
}

Result<std::optional<Key>> Keys::find_by_digest(std::string_view digest) {
    std::optional<Key> found;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        found = first(select(sql, "WHERE digest = :d", std::string(digest)));
        return {};
    }));
    return found;
}

Result<std::optional<Key>> Keys::find(const Uuid& public_id) {
    std::optional<Key> found;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        found = first(select(sql, "WHERE public_id = :p", to_text(public_id)));
        return {};
    }));
    return found;
}

Result<std::vector<Key>> Keys::list(std::int64_t after_id, std::size_t limit) {
    std::vector<Key> keys;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        const long long after = after_id;
        const auto most = static_cast<long long>(limit);
        keys = select(sql, "WHERE id > :after ORDER BY id LIMIT :most", after, most);
        return {};
    }));
    return keys;
}

Result<bool> Keys::revoke(const Uuid& public_id, WallTime now) {
    bool found = false;
    WEIR_TRY(database_.write([&](soci::session& sql) -> Result<void> {
        const std::string id = to_text(public_id);
        const long long at = micros(now);
        int count = 0;
        sql << "SELECT COUNT(*) FROM api_keys WHERE public_id = :p", soci::use(id),
            soci::into(count);
        found = count > 0;
        sql << "UPDATE api_keys SET revoked_us = :now WHERE public_id = :p AND revoked_us IS NULL",
            soci::use(at), soci::use(id);
        return {};
    }));
    return found;
}

Result<std::int64_t> Keys::count() {
    long long count = 0;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        sql << "SELECT COUNT(*) FROM api_keys", soci::into(count);
        return {};
    }));
    return count;
}

Result<std::optional<std::string>> Settings::get(const std::string& key) {
    std::optional<std::string> found;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        std::string value;
        soci::indicator present = soci::i_null;
        sql << "SELECT value FROM settings WHERE key = :k", soci::use(key),
            soci::into(value, present);
        if (sql.got_data() && present == soci::i_ok) {
            found = value;
        }
        return {};
    }));
    return found;
}

Result<void> Settings::put(const std::string& key, const std::string& value) {
    return database_.write([&](soci::session& sql) -> Result<void> {
        sql << "DELETE FROM settings WHERE key = :k", soci::use(key);
        sql << "INSERT INTO settings(key, value) VALUES(:k, :v)", soci::use(key), soci::use(value);
        return {};
    });
}

}  // namespace weir::store
