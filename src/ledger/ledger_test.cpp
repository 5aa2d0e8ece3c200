#include "ledger/ledger.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <filesystem>
#include <set>

namespace weir::ledger {
namespace {

class LedgerTest : public testing::Test {
protected:
    LedgerTest() {
        char pattern[] = "/tmp/weir-ledger-XXXXXX";
        folder_ = ::mkdtemp(pattern);
        database_ = std::move(store::Database::open_sqlite(folder_ + "/weir.db").value());
    }
    ~LedgerTest() override { std::filesystem::remove_all(folder_); }

    JournalOptions options(std::size_t segment_bytes = 64u << 10, unsigned threads = 1) const {
        return {.folder = folder_ + "/journal",
                .threads = threads,
                .bytes_max = 64u << 20,
                .segment_bytes = segment_bytes,
                .sync_interval = std::chrono::milliseconds{5}};
    }
    std::unique_ptr<Ledger> open(const JournalOptions& with) {
        auto ledger = Ledger::open(with, *database_, clock_, log_);
        EXPECT_TRUE(ledger) << (ledger ? "" : ledger.error().detail());
        return std::move(*ledger);
    }
    std::vector<store::Call> rows() {
        store::Usage usage(*database_);
        std::vector<store::Call> all;
        store::UsageFilter filter{.limit = store::kUsagePageMax};
        for (;;) {
            auto page = usage.page(filter);
            EXPECT_TRUE(page);
            all.insert(all.end(), page->calls.begin(), page->calls.end());
            if (!page->next_before_id) {
                return all;
            }
            filter.before_id = page->next_before_id;
        }
    }

    std::string folder_;
    SystemClock clock_;
    obs::Log log_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
    std::unique_ptr<store::Database> database_;
};

Opened opened(const Uuid& id) {
    return {.request_id = id,
            .tenant_id = 1,
            .key_id = 2,
            .started_at = wall_from_micros(1'700'000'000'000'000),
            .hold_input_tokens = 11,
            .hold_output_tokens = 22,
            .model = "model",
            .provider = "provider"};
}
Settled settled(const Uuid& id, std::int64_t tokens = 5) {
    Settled record{.request_id = id,
                   .tenant_id = 1,
                   .key_id = 2,
                   .started_at = wall_from_micros(1'700'000'000'000'000),
                   .status = 200,
                   .usage = {.input_tokens = tokens, .output_tokens = 7},
                   .cost_nano_usd = 42,
                   .total_us = 9,
                   .model = "model",
                   .provider = "provider",
                   .code = "ok"};
    record.attempts[record.attempt_count++] = {
        .provider = "provider", .model = "up", .code = "ok", .status = 200};
    return record;
}
Uuid fresh_id() { return make_uuid_v7(wall_from_micros(1'700'000'000'000'000)); }

TEST(LedgerRecord, ComesBackWholeAndNeverHalf) {
    char bytes[kRecordBytesMax];
    const Settled before = settled(fresh_id(), 123);
    const std::size_t size = encode(before, bytes);
    const auto after = decode_settled({bytes, size});
    ASSERT_TRUE(after);
    EXPECT_EQ(after->request_id, before.request_id);
    EXPECT_EQ(after->usage, before.usage);
    EXPECT_EQ(after->cost_nano_usd, 42);
    EXPECT_EQ(after->ttft_us, std::nullopt);
    EXPECT_EQ(after->code, "ok");
    ASSERT_EQ(after->attempt_count, 1u);
    EXPECT_EQ(after->attempts[0].model, "up");
    for (std::size_t cut = 0; cut < size; ++cut) {
        EXPECT_FALSE(decode_settled({bytes, cut})) << cut;
    }
    Opened longest = opened(fresh_id());
    const std::string name(1000, 'x');
    longest.model = name;
    EXPECT_EQ(decode_opened({bytes, encode(longest, bytes)})->model.size(), kNameBytesMax);
    // Never in the middle of a character: the row is text that others write as JSON.
    const std::string accented = std::string(kNameBytesMax - 1, 'x') + "\xc3\xa9";
    longest.model = accented;
    EXPECT_EQ(decode_opened({bytes, encode(longest, bytes)})->model,
              std::string(kNameBytesMax - 1, 'x'));
}

TEST_F(LedgerTest, EveryCallBecomesOneRow) {
    auto ledger = open(options());
    std::set<Uuid> ids;
    for (int i = 0; i < 5000; ++i) {  // many segments, recycled while it runs
        const Uuid id = fresh_id();
        ids.insert(id);
        ASSERT_TRUE(ledger->opened(0, opened(id)));
        ledger->settled(0, settled(id));
    }
    ledger->stop();
    EXPECT_EQ(ledger->backlog(), 0u);
    const auto all = rows();
    EXPECT_EQ(all.size(), ids.size());
    for (const auto& row : all) {
        EXPECT_EQ(ids.erase(row.request_id), 1u);
        EXPECT_EQ(row.cost_nano_usd, 42);
    }
    EXPECT_TRUE(ids.empty());
    EXPECT_TRUE(std::filesystem::is_empty(folder_ + "/journal"))
        << "a journal that is done with is removed";
}

TEST_F(LedgerTest, ACallOutlivesTheSegmentItWasOpenedIn) {
    const Uuid long_call = fresh_id();
    const Uuid lost_call = fresh_id();
    {
        auto ledger = open(options());
        ASSERT_TRUE(ledger->opened(0, opened(long_call)));
        ASSERT_TRUE(ledger->opened(0, opened(lost_call)));
        for (int i = 0; i < 5000; ++i) {
            const Uuid id = fresh_id();
            ASSERT_TRUE(ledger->opened(0, opened(id)));
            ledger->settled(0, settled(id));
        }
        while (ledger->backlog() > 0) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        ledger->settled(0, settled(long_call, 99));
    }
    // The process ends with one call open: the next one settles it as interrupted, once.
    open(options())->stop();
    open(options())->stop();
    std::size_t long_rows = 0;
    std::size_t lost_rows = 0;
    for (const auto& row : rows()) {
        if (row.request_id == long_call) {
            ++long_rows;
            EXPECT_EQ(row.input_tokens, 99);
        }
        if (row.request_id == lost_call) {
            ++lost_rows;
            EXPECT_EQ(row.code, "interrupted");
            EXPECT_EQ(row.input_tokens, 11);
            EXPECT_TRUE(row.estimated);
            EXPECT_EQ(row.cost_nano_usd, std::nullopt);
        }
    }
    EXPECT_EQ(long_rows, 1u);
    EXPECT_EQ(lost_rows, 1u);
}

TEST_F(LedgerTest, AtItsLimitItRefusesNewCallsAndSettlesTheOldOnes) {
    auto with = options();
    with.bytes_max = 2 * with.segment_bytes;
    auto journal = Journal::open(with, fresh_id());
    ASSERT_TRUE(journal);
    std::vector<Uuid> in_flight;
    for (;;) {  // nobody drains
        const Uuid id = fresh_id();
        const auto result = (*journal)->opened(0, opened(id));
        if (!result) {
            EXPECT_EQ(result.error().code(), Code::storage_unavailable);
            break;
        }
        in_flight.push_back(id);
        if (in_flight.size() > 10) {
            (*journal)->settled(0, settled(in_flight.back()));
            in_flight.pop_back();
        }
    }
    for (const auto& id : in_flight) {
        (*journal)->settled(0, settled(id));
    }
}

TEST_F(LedgerTest, ATornRecordEndsWhatCanBeRead) {
    auto segment = Segment::create(folder_ + "/a.seg", 64u << 10);
    ASSERT_TRUE(segment);
    (*segment)->begin(7, 0, 1);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        (*segment)->append(Kind::settled, i, "payload");
    }
    segment->reset();
    const int fd = ::open((folder_ + "/a.seg").c_str(), O_RDWR);
    ASSERT_EQ(::pwrite(fd, "X", 1, kSegmentHeaderBytes + 64 + 33), 1);  // in the second record
    ::close(fd);
    auto again = Segment::open(folder_ + "/a.seg");
    ASSERT_TRUE(again && *again);
    std::size_t at = kSegmentHeaderBytes;
    Segment::View view;
    EXPECT_EQ((*again)->read(at, view), Segment::Read::record);
    EXPECT_EQ(view.payload, "payload");
    EXPECT_EQ((*again)->read(at, view), Segment::Read::torn);
}

TEST_F(LedgerTest, WhatAnEarlierUseLeftIsNeverRead) {
    auto segment = Segment::create(folder_ + "/a.seg", 64u << 10);
    ASSERT_TRUE(segment);
    (*segment)->begin(1, 0, 1);
    for (std::uint64_t i = 1; i <= 100; ++i) {
        (*segment)->append(Kind::settled, i, std::string(i, 'a'));
    }
    (*segment)->begin(2, 0, 101);
    std::size_t at = kSegmentHeaderBytes;
    Segment::View view;
    EXPECT_EQ((*segment)->read(at, view), Segment::Read::end);
    (*segment)->append(Kind::settled, 101, "new");
    EXPECT_EQ((*segment)->read(at, view), Segment::Read::record);
    EXPECT_EQ(view.sequence, 101u);
    EXPECT_EQ((*segment)->read(at, view), Segment::Read::end);
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST_F(LedgerTest, AFileCutUnderUsCostsNoCallThatComesAfter) {
    install_sigbus_guard();
    std::set<Uuid> ids;
    {
        auto ledger = open(options());
        const auto cut_all = [&] {
            for (const auto& entry :
                 std::filesystem::recursive_directory_iterator(folder_ + "/journal")) {
                if (entry.path().extension() == ".seg") {
                    std::filesystem::resize_file(entry.path(), 0);
                }
            }
        };
        cut_all();
        for (int i = 0; i < 100; ++i) {
            const Uuid id = fresh_id();
            if (ledger->opened(0, opened(id))) {
                ledger->settled(0, settled(id));
                ids.insert(id);
            }
        }
        ledger->stop();
    }
    std::size_t found = 0;
    for (const auto& row : rows()) {
        found += ids.contains(row.request_id) ? 1 : 0;
    }
    EXPECT_EQ(found, ids.size());
    EXPECT_GT(found, 0u);
}
#endif

// What the child had acknowledged, in memory that outlives it.
struct Acknowledged {
    static constexpr std::size_t kMax = 200'000;
    std::atomic<std::size_t> count = 0;
    Uuid ids[kMax];
};

TEST_F(LedgerTest, KillLosesAndDoublesNothing) {
    auto* shared = static_cast<Acknowledged*>(::mmap(
        nullptr, sizeof(Acknowledged), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(shared, MAP_FAILED);
    database_.reset();
    std::set<Uuid> expected;
    for (int round = 0; round < 5; ++round) {
        shared->count = 0;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto database = store::Database::open_sqlite(folder_ + "/weir.db");
            auto ledger = Ledger::open(options(), **database, clock_, log_);
            while (shared->count < Acknowledged::kMax) {
                // Each child begins with the same pool of random bits: its round makes its ids its
                // own.
                const Uuid id =
                    make_uuid_v7(wall_from_micros(1'700'000'000'000'000 + round * 1'000'000));
                if ((*ledger)->opened(0, opened(id))) {
                    (*ledger)->settled(0, settled(id));
                    shared->ids[shared->count] = id;
                    shared->count.fetch_add(1);
                }
            }
            ::_exit(0);
        }
        while (shared->count < static_cast<std::size_t>(1000 * (round + 1))) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        expected.insert(shared->ids, shared->ids + shared->count.load());
    }
    database_ = std::move(store::Database::open_sqlite(folder_ + "/weir.db").value());
    open(options())->stop();
    std::set<Uuid> seen;
    for (const auto& row : rows()) {
        EXPECT_TRUE(seen.insert(row.request_id).second) << "doubled";
    }
    for (const auto& id : expected) {
        EXPECT_TRUE(seen.contains(id)) << "lost";
    }
    EXPECT_LE(seen.size(), expected.size() + 5);  // the call that was on its way when the kill came
    ::munmap(shared, sizeof(Acknowledged));
}

// What is opened in one segment is often settled in the next one, and that may be used again before
// the first one is: read after a crash, the first one would tell of calls without an end.
TEST_F(LedgerTest, ASegmentThatWaitsForItsNextUseIsNotReadAfterACrash) {
    constexpr int kCalls = 2000;  // of 64 KiB segments about twelve
    constexpr std::size_t kOpenMax = 50;
    std::size_t calls = 0;
    for (int again = 0; again < 10; ++again) {
        store::UsageWriter writer(*database_);
        {
            auto journal = Journal::open(options(), fresh_id()).value();
            Drain drain(*journal, writer);
            std::deque<Uuid> open;
            const auto carry = [&](int count, std::size_t open_max) {
                for (int i = 0; i < count; ++i) {
                    open.push_back(fresh_id());
                    ASSERT_TRUE(journal->opened(0, opened(open.back())));
                    ++calls;
                    while (open.size() > open_max) {
                        journal->settled(0, settled(open.front()));
                        open.pop_front();
                    }
                }
                for (bool more = true; more;) {
                    more = drain.step().value();
                }
            };
            carry(kCalls, kOpenMax);
            carry(kCalls * again / 10, 0);
            carry(1, 0);
        }  // its process is dead now
        ASSERT_TRUE(recover(options().folder, writer));
    }
    std::set<std::string> codes;
    for (const auto& row : rows()) {
        codes.insert(row.code);
    }
    EXPECT_EQ(codes, std::set<std::string>{"ok"});
    EXPECT_EQ(rows().size(), calls);
}

// As in a hand-over: two processes, each with its own journal and its own connection.
TEST_F(LedgerTest, TwoWriteSideBySide) {
    constexpr int kCalls = 3000;
    const auto write = [this](store::Database& database) {
        auto ledger = Ledger::open(options(), database, clock_, log_).value();
        for (int i = 0; i < kCalls; ++i) {
            const Uuid id = fresh_id();
            EXPECT_TRUE(ledger->opened(0, opened(id)));
            ledger->settled(0, settled(id));
            if (i % 10 == 0) {  // many small batches: the two take turns at the database
                std::this_thread::sleep_for(std::chrono::milliseconds{1});
            }
        }
    };
    const auto second = store::Database::open_sqlite(folder_ + "/weir.db").value();
    std::thread other([&] { write(*second); });
    write(*database_);
    other.join();
    std::set<Uuid> seen;
    for (const auto& row : rows()) {
        EXPECT_TRUE(seen.insert(row.request_id).second) << "doubled";
        EXPECT_EQ(row.code, "ok");
    }
    EXPECT_EQ(seen.size(), 2u * kCalls);
    EXPECT_TRUE(std::filesystem::is_empty(options().folder));
}

// An error would only be tried again by the drain, and hidden.
TEST_F(LedgerTest, TwoWritersMeetNoConflict) {
    constexpr int kBatches = 300;
    const auto write = [](store::Database& database) {
        store::UsageWriter writer(database);
        for (int i = 0; i < kBatches; ++i) {
            const auto written =
                writer.write({.journal = "j", .calls = {to_row(settled(fresh_id()))}});
            ASSERT_TRUE(written) << written.error().detail();
        }
    };
    const auto second = store::Database::open_sqlite(folder_ + "/weir.db").value();
    std::thread other([&] { write(*second); });
    write(*database_);
    other.join();
    EXPECT_EQ(rows().size(), 2u * kBatches);
}

TEST_F(LedgerTest, WhatAnotherProcessLeavesIsTakenUpWhileOneRuns) {
    auto ledger = open(options());
    store::UsageWriter writer(*database_);
    {
        auto journal = Journal::open(options(), fresh_id()).value();
        const Uuid done = fresh_id();
        ASSERT_TRUE(journal->opened(0, opened(done)));
        journal->settled(0, settled(done));
        ASSERT_TRUE(journal->opened(0, opened(fresh_id())));
        EXPECT_EQ(recover(options().folder, writer)->journals, 0u);  // it is held
        EXPECT_EQ(rows().size(), 0u);
    }  // its process is dead now
    while (rows().size() < 2) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    std::multiset<std::string> codes;
    for (const auto& row : rows()) {
        codes.insert(row.code);
    }
    EXPECT_EQ(codes, (std::multiset<std::string>{"interrupted", "ok"}));
}

TEST_F(LedgerTest, FollowsTheOpenCallsOfAnotherProcess) {
    auto followed = open(options());
    std::vector<Uuid> ids;
    for (int i = 0; i < 3; ++i) {
        ids.push_back(fresh_id());
        Opened record = opened(ids.back());
        record.key_id = i == 0 ? 7 : 8;
        ASSERT_TRUE(followed->opened(0, record));
    }
    auto ledger = open(options());
    std::mutex lock;
    std::vector<OpenCalls> told;
    ledger->follow(followed->journal(), [&](const OpenCalls& calls) {
        const std::lock_guard guard(lock);
        told.push_back(calls);
    });
    const auto last = [&] {
        const std::lock_guard guard(lock);
        return told.back();
    };
    using ByKey = std::unordered_map<std::int64_t, std::uint32_t>;
    EXPECT_EQ(last().by_key, (ByKey{{7, 1}, {8, 2}}));  // at once
    EXPECT_EQ(last().tokens, 3 * (11 + 22));
    followed->settled(0, settled(ids[1]));
    while (last().tokens != 2 * (11 + 22)) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    EXPECT_EQ(last().by_key, (ByKey{{7, 1}, {8, 1}}));
    // A call outlives the segment it was opened in.
    for (int i = 0; i < 2000; ++i) {
        const Uuid id = fresh_id();
        ASSERT_TRUE(followed->opened(0, opened(id)));
        followed->settled(0, settled(id));
    }
    while (followed->backlog() > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    store::UsageWriter writer(*database_);
    EXPECT_EQ(read_open_calls(options().folder, followed->journal(), writer)->by_key,
              (ByKey{{7, 1}, {8, 1}}));
    followed->settled(0, settled(ids[0]));
    followed->settled(0, settled(ids[2]));
    followed.reset();
    while (last().is_alive) {
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    EXPECT_TRUE(last().by_key.empty());
    EXPECT_EQ(last().tokens, 0);
}

}  // namespace
}  // namespace weir::ledger
