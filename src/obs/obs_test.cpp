#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "obs/access_log.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "obs/names.h"
#include "obs/trace.h"

namespace weir::obs {
namespace {

TEST(Metrics, AScrapeAddsUpAllThreads) {
    Metrics metrics(families(), 3);
    const SeriesId requests = metrics.series(kRequests, {"chat", "m", "p", "ok"});
    const SeriesId seconds = metrics.series(kRequestSeconds, {"chat", "m"});
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 1000; ++i) {
                metrics.shard(t).add(requests);
                metrics.shard(t).observe(seconds, 15'000);
            }
        });
    }
    static_cast<void>(metrics.scrape());  // while they count
    for (auto& thread : threads) {
        thread.join();
    }
    const std::string text = metrics.scrape();
    EXPECT_NE(
        text.find(
            "weir_requests_total{surface=\"chat\",model=\"m\",provider=\"p\",code=\"ok\"} 3000"),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("weir_request_seconds_bucket{surface=\"chat\",model=\"m\",le=\"0.01\"} 0"),
              std::string::npos);
    EXPECT_NE(
        text.find("weir_request_seconds_bucket{surface=\"chat\",model=\"m\",le=\"0.02\"} 3000"),
        std::string::npos);
    EXPECT_NE(text.find("weir_request_seconds_count{surface=\"chat\",model=\"m\"} 3000"),
              std::string::npos);
}

TEST(Metrics, GaugesGoUpAndDownOnDifferentThreads) {
    Metrics metrics(families(), 2);
    const SeriesId inflight = metrics.series(kInflight, {"m", "p"});
    metrics.shard(0).add(inflight, 3);
    metrics.shard(1).subtract(inflight, 2);
    metrics.provide(kLedgerBacklog, {}, [] { return 7.0; });
    const std::string text = metrics.scrape();
    EXPECT_NE(text.find("weir_inflight{model=\"m\",provider=\"p\"} 1"), std::string::npos) << text;
    EXPECT_NE(text.find("weir_ledger_backlog_records 7"), std::string::npos);
}

TEST(Metrics, AFamilyIsBounded) {
    Metrics metrics(families(), 1);
    for (std::size_t i = 0; i < kSeriesPerFamilyMax + 100; ++i) {
        metrics.shard(0).add(metrics.series(kLimitRejections, {std::to_string(i)}));
    }
    EXPECT_NE(metrics.scrape().find("weir_limit_rejections_total{rule=\"other\"} 100"),
              std::string::npos);
}

std::string read_all(int fd) {
    std::string text;
    char buffer[65536];
    for (ssize_t got = 0; (got = ::read(fd, buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
}

struct TempFile {
    char path[32] = "/tmp/weir-obs-XXXXXX";
    int fd = ::mkstemp(path);
    ~TempFile() {
        ::close(fd);
        ::unlink(path);
    }
    std::string content() const {
        ::lseek(fd, 0, SEEK_SET);
        return read_all(fd);
    }
};

TEST(AccessLog, WritesEveryRecordOfEveryThreadOrCountsIt) {
    TempFile file;
    std::uint64_t dropped = 0;
    constexpr int kRecords = 20'000;
    {
        AccessLog log(file.fd, 2);
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < 2; ++t) {
            threads.emplace_back([&, t] {
                AccessRecord record;
                record.request_id = t == 0 ? "a" : "b";
                record.model = "mod\"el\n";
                record.status = 200;
                for (int i = 0; i < kRecords; ++i) {
                    record.total_us = i;
                    log.write(t, record);
                }
            });
        }
        for (auto& thread : threads) {
            thread.join();
        }
        log.stop();
        dropped = log.dropped();
    }
    const std::string text = file.content();
    const auto lines = static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    EXPECT_EQ(lines + dropped, 2u * kRecords);
    EXPECT_GT(lines, 0u);
    EXPECT_NE(text.find("\"model\":\"mod\\\"el\\u000a\""), std::string::npos);
}

TEST(AccessLog, ALineSaysWhatIsKnownAndNothingElse) {
    std::string line;
    append_line(line,
                {.time_us = 1'700'000'000'123'456,
                 .request_id = "r",
                 .path = "/v1",
                 .status = 200,
                 .input_tokens = 1,
                 .output_tokens = 2,
                 .total_us = 9});
    EXPECT_EQ(line,
              "{\"time\":\"2023-11-14T22:13:20.123456Z\",\"request_id\":\"r\",\"path\":\"/"
              "v1\",\"status\":200,"
              "\"input_tokens\":1,\"output_tokens\":2,\"total_us\":9,\"overhead_us\":0}\n");
}

TEST(Log, StrikesOutWhatLooksLikeACredential) {
    EXPECT_EQ(redact("key sk-abcdefghijklmnopqrstuv was"), "key *** was");
    EXPECT_EQ(redact("sk-weir-abcdEFGHijklmnopqrst"), "sk-weir-abcd***");
    EXPECT_EQ(redact("Authorization: Bearer abc.def"), "Authorization: Bearer ***");
    EXPECT_EQ(redact("sk-learn and task-force"), "sk-learn and task-force");
    TempFile file;
    Log log(file.fd);
    log.warn("a.b", {{"api_key", "plain"}, {"line", "x\r\n\x1b[31m"}, {"n", 3}});
    log.debug("too.low");
    const std::string text = file.content();
    EXPECT_NE(text.find("\"level\":\"warn\",\"event\":\"a.b\",\"api_key\":\"***\",\"line\":"
                        "\"x\\u000d\\u000a\\u001b[31m\",\"n\":3}\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("too.low"), std::string::npos);
}

std::string written(const TraceContext& context) {
    const auto text = traceparent(context);
    return {text.data(), text.size()};
}

TEST(Trace, IsReadStrictlyAndGoesOn) {
    const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const auto context = parse_traceparent(good);
    ASSERT_TRUE(context);
    EXPECT_EQ(written(*context), good);
    const auto child = child_of(*context, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
    EXPECT_EQ(written(child), "00-0af7651916cd43dd8448eb211c80319c-090a0b0c0d0e0f10-01");
    EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
    for (const auto* bad : {"",
                            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                            "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
        EXPECT_FALSE(parse_traceparent(bad)) << bad;
    }
}

}  // namespace
}  // namespace weir::obs
