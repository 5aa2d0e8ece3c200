// The durable records. All functions of this module block: call them on a blocking pool or a thread
// of your own. One writer at a time, a few readers beside it (WAL). SQL stands only in this folder,
// with bound parameters only; what SOCI throws is caught here and becomes storage_unavailable.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"

namespace soci {
class session;
}

namespace weir::store {

class Database {
public:
    // Opens or makes the SQLite file and brings its tables up to date. Errors: invalid_config in
    // words for the operator (newer database, not a database, not writable).
    static Result<std::unique_ptr<Database>> open_sqlite(const std::string& path);
    ~Database();
    Database(const Database&) = delete;

    // Runs `work` in one transaction on the writer; an error or a throw rolls it back. Any thread.
    Result<void> write(const std::function<Result<void>(soci::session&)>& work);
    // Runs `work` on a reader. Any thread.
    Result<void> read(const std::function<Result<void>(soci::session&)>& work);

private:
    struct Sessions;
    explicit Database(std::unique_ptr<Sessions> sessions);
    std::unique_ptr<Sessions> sessions_;
};

}  // namespace weir::store
