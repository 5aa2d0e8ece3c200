// The access log: one JSON line per call, never a prompt or an answer. A call thread copies a
// compact record into its own ring; one writer thread formats and writes. A full ring drops the
// record and counts it: a slow disk must not slow a call. The ledger, not this log, is what money
// is counted by.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace weir::obs {

struct AccessRecord {
    std::int64_t time_us = 0;  // wall clock, when the request came
    std::string_view request_id, client_request_id, trace_id, client_ip;
    std::string_view key_prefix, method, path, surface, model, provider, code;
    std::int64_t tenant_id = 0;
    std::int64_t status = 0;
    std::int64_t input_tokens = -1, output_tokens = -1;  // -1: none
    std::int64_t cost_nano_usd = -1;                     // -1: not priced
    std::int64_t ttft_us = -1, total_us = 0, overhead_us = 0;
    std::int64_t attempts = 0;
    bool stream = false;
};

// One JSON line with its line feed.
void append_line(std::string& into, const AccessRecord& record);

class AccessLog {
public:
    static constexpr std::size_t kRingBytes = 1u << 20;
    static constexpr std::size_t kStringBytesMax = 512;  // longer texts are cut

    // Writes to `fd`, which it does not own; -1: the log is off. One ring for each of `threads`.
    AccessLog(int fd, unsigned threads);
    ~AccessLog();

    bool is_on() const { return fd_ >= 0; }
    // On call thread `thread`. Never blocks.
    void write(unsigned thread, const AccessRecord& record);
    std::uint64_t dropped() const;
    // Writes what is there, then ends the writer.
    void stop();

private:
    struct Ring;
    void write_loop();
    bool drain(std::string& text);

    int fd_;
    std::vector<std::unique_ptr<Ring>> rings_;
    std::mutex lock_;
    std::condition_variable wakeup_;
    bool stopping_ = false;  // guarded by lock_
    std::thread writer_;
};

}  // namespace weir::obs
