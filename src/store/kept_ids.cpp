#include "store/kept_ids.h"

#include <soci/soci.h>

namespace weir::store {

Result<std::optional<Keeper>> KeptIds::find(const std::string& id, WallTime now) {
    std::optional<Keeper> found;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        long long tenant = 0;
        const long long at = micros(now);
        std::string provider;
        std::string credential;
        soci::statement row =
            (sql.prepare << "SELECT tenant_id, provider, credential FROM kept_ids WHERE id = :i "
                            "AND expires_us > :n",
             soci::use(id),
             soci::use(at),
             soci::into(tenant),
             soci::into(provider),
             soci::into(credential));
        row.execute();
        if (row.fetch()) {
            found = Keeper{.tenant_id = tenant, .provider = provider, .credential = credential};
        }
        return {};
    }));
    return found;
}

Result<void> KeptIds::forget(const std::string& id) {
    return database_.write([&](soci::session& sql) -> Result<void> {
        sql << "DELETE FROM kept_ids WHERE id = :i", soci::use(id);
        return {};
    });
}

Result<std::int64_t> KeptIds::sweep(WallTime now) {
    std::int64_t removed = 0;
    WEIR_TRY(database_.write([&](soci::session& sql) -> Result<void> {
        const long long at = micros(now);
        soci::statement gone =
            (sql.prepare << "DELETE FROM kept_ids WHERE expires_us <= :n", soci::use(at));
        gone.execute(true);
        removed = gone.get_affected_rows();
        return {};
    }));
    return removed;
}

}  // namespace weir::store
