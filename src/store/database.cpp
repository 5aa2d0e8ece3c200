#include "store/database.h"

#include <fmt/format.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/assert.h"
#include "store/migrations.h"

namespace weir::store {
namespace {

constexpr std::size_t kReaders = 2;

Failure unavailable(const std::exception& error) {
    return fail(Code::storage_unavailable,
                "The gateway's database is not available; try again shortly.")
        .detail(error.what());
}

// A session is used by one thread at a time, so that SQLite needs no lock in each of its calls, and
// nobody asks it how much memory it has.
void configure_sqlite() {
    static std::once_flag done;
    std::call_once(done, [] {
        WEIR_ASSERT(sqlite_api::sqlite3_config(SQLITE_CONFIG_MULTITHREAD) == SQLITE_OK);
        WEIR_ASSERT(sqlite_api::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK);
    });
}

// A transaction that takes the write lock at its begin, where another process is waited for. One
// that reads first and finds then that the other has written meanwhile could only fail.
class WriteTransaction {
public:
    explicit WriteTransaction(soci::session& sql) : sql_(sql) { sql_ << "BEGIN IMMEDIATE"; }
    ~WriteTransaction() {
        if (!committed_) {
            try {
                sql_ << "ROLLBACK";
            } catch (const std::exception&) {
                // SQLite has rolled back already: there is nothing to undo.
            }
        }
    }
    WriteTransaction(const WriteTransaction&) = delete;
    void commit() {
        sql_ << "COMMIT";
        committed_ = true;
    }

private:
    soci::session& sql_;
    bool committed_ = false;
};

// Measured in the drain spike: a batch dirties one leaf of each index per row, so the cache must
// hold them and the checkpoint come late.
void tune(soci::session& sql) {
    sql << "PRAGMA journal_mode=WAL";
    sql << "PRAGMA synchronous=FULL";
    sql << "PRAGMA cache_size=-16384";
    sql << "PRAGMA wal_autocheckpoint=16000";
    sql << "PRAGMA busy_timeout=5000";
    sql << "PRAGMA foreign_keys=ON";
}

}  // namespace

struct Database::Sessions {
    std::mutex writer_lock;
    soci::session writer;

    std::mutex reader_lock;
    std::condition_variable reader_free;
    std::vector<std::unique_ptr<soci::session>> readers;  // idle ones, guarded by reader_lock
};

Database::Database(std::unique_ptr<Sessions> sessions) : sessions_(std::move(sessions)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open_sqlite(const std::string& path) {
    configure_sqlite();
    auto sessions = std::make_unique<Sessions>();
    try {
        const std::string parameters = fmt::format("dbname=\"{}\"", path);
        sessions->writer.open(*soci::factory_sqlite3(), parameters);
        tune(sessions->writer);
        WEIR_TRY(migrate(sessions->writer, path));
        for (std::size_t i = 0; i < kReaders; ++i) {
            auto reader = std::make_unique<soci::session>();
            reader->open(*soci::factory_sqlite3(), parameters);
            tune(*reader);
            sessions->readers.push_back(std::move(reader));
        }
    } catch (const std::exception& error) {
        return fail(Code::invalid_config,
                    fmt::format("The database '{}' cannot be opened: it is not an SQLite file, or "
                                "may not be read and "
                                "written.",
                                path))
            .detail(error.what());
    }
    return std::unique_ptr<Database>(new Database(std::move(sessions)));
}

Result<void> Database::write(const std::function<Result<void>(soci::session&)>& work) {
    const std::lock_guard guard(sessions_->writer_lock);
    try {
        WriteTransaction transaction(sessions_->writer);
        WEIR_TRY(work(sessions_->writer));
        transaction.commit();
        return {};
    } catch (const std::exception& error) {
        return unavailable(error);
    }
}

Result<void> Database::read(const std::function<Result<void>(soci::session&)>& work) {
    std::unique_lock guard(sessions_->reader_lock);
    sessions_->reader_free.wait(guard, [this] { return !sessions_->readers.empty(); });
    std::unique_ptr<soci::session> session = std::move(sessions_->readers.back());
    sessions_->readers.pop_back();
    guard.unlock();
    Result<void> result{};
    try {
        result = work(*session);
    } catch (const std::exception& error) {
        result = unavailable(error);
    }
    guard.lock();
    sessions_->readers.push_back(std::move(session));
    guard.unlock();
    sessions_->reader_free.notify_one();
    return result;
}

}  // namespace weir::store
