#include "obs/access_log.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/assert.h"
#include "base/text.h"

namespace weir::obs {
namespace {

constexpr std::chrono::milliseconds kWriteInterval{50};
constexpr std::size_t kStrings = 11;
constexpr std::size_t kNumbers = 11;

// What lies in a ring: this, then the strings one after the other.
struct Packed {
    std::uint32_t bytes;  // whole, a multiple of 8; 0: the rest of the ring is skipped
    bool stream;
    std::uint16_t sizes[kStrings];
    std::int64_t numbers[kNumbers];
};

void append_text(std::string& into, std::string_view key, std::string_view value) {
    if (value.empty()) {
        return;
    }
    into += ",\"";
    into += key;
    into += "\":\"";
    append_json_text(into, value);
    into += '"';
}

void append_number(std::string& into, std::string_view key, std::int64_t value) {
    into += ",\"";
    into += key;
    into += "\":";
    const fmt::format_int digits(value);
    into.append(digits.data(), digits.size());
}

void append_time(std::string& into, std::int64_t time_us) {
    struct Cached {
        std::int64_t second;
        char text[32];
        std::size_t size;
    };
    constinit static thread_local Cached cached{-1, {}, 0};
    const std::int64_t second = time_us / 1'000'000;
    if (second != cached.second) {
        const std::time_t time = second;
        std::tm utc{};
        ::gmtime_r(&time, &utc);
        cached.size = std::strftime(cached.text, sizeof cached.text, "%Y-%m-%dT%H:%M:%S", &utc);
        cached.second = second;
    }
    into += "{\"time\":\"";
    into.append(cached.text, cached.size);
    char fraction[8] = {'.'};
    std::int64_t micros_left = time_us % 1'000'000;
    for (int i = 6; i > 0; --i) {
        fraction[i] = static_cast<char>('0' + micros_left % 10);
        micros_left /= 10;
    }
    into.append(fraction, 7);
    into += "Z\"";
}

}  // namespace

void append_line(std::string& into, const AccessRecord& r) {
    append_time(into, r.time_us);
    append_text(into, "request_id", r.request_id);
    append_text(into, "client_request_id", r.client_request_id);
    append_text(into, "trace_id", r.trace_id);
    append_text(into, "client_ip", r.client_ip);
    append_text(into, "key", r.key_prefix);
    if (r.tenant_id != 0) {
        append_number(into, "tenant", r.tenant_id);
    }
    append_text(into, "method", r.method);
    append_text(into, "path", r.path);
    append_text(into, "surface", r.surface);
    append_text(into, "model", r.model);
    append_text(into, "provider", r.provider);
    append_number(into, "status", r.status);
    append_text(into, "code", r.code);
    if (r.stream) {
        into += ",\"stream\":true";
    }
    if (r.input_tokens >= 0) {
        append_number(into, "input_tokens", r.input_tokens);
        append_number(into, "output_tokens", r.output_tokens);
    }
    if (r.cost_nano_usd >= 0) {
        append_number(into, "cost_nano_usd", r.cost_nano_usd);
    }
    if (r.attempts > 0) {
        append_number(into, "attempts", r.attempts);
    }
    if (r.ttft_us >= 0) {
        append_number(into, "ttft_us", r.ttft_us);
    }
    append_number(into, "total_us", r.total_us);
    append_number(into, "overhead_us", r.overhead_us);
    into += "}\n";
}

// Single producer, single consumer. Positions only grow; the place in the ring is position modulo
// size. A record never wraps: what does not fit before the end begins anew at the front.
struct AccessLog::Ring {
    std::unique_ptr<char[]> bytes{new char[kRingBytes]};
    alignas(64) std::atomic<std::uint64_t> written = 0;
    alignas(64) std::atomic<std::uint64_t> read = 0;
    alignas(64) std::atomic<std::uint64_t> dropped = 0;
};

AccessLog::AccessLog(int fd, unsigned threads) : fd_(fd) {
    if (fd_ < 0) {
        return;
    }
    for (unsigned i = 0; i < threads; ++i) {
        rings_.push_back(std::make_unique<Ring>());
    }
    writer_ = std::thread([this] { write_loop(); });
    ::pthread_setname_np(writer_.native_handle(), "weir-log");
}

AccessLog::~AccessLog() { stop(); }

void AccessLog::write(unsigned thread, const AccessRecord& r) {
    if (fd_ < 0) {
        return;
    }
    Ring& ring = *rings_[thread];
    const std::string_view strings[kStrings] = {r.request_id,
                                                r.client_request_id,
                                                r.trace_id,
                                                r.client_ip,
                                                r.key_prefix,
                                                r.method,
                                                r.path,
                                                r.surface,
                                                r.model,
                                                r.provider,
                                                r.code};
    std::size_t size = sizeof(Packed);
    for (const auto text : strings) {
        size += std::min(text.size(), kStringBytesMax);
    }
    size = (size + 7) & ~std::size_t{7};
    std::uint64_t at = ring.written.load(std::memory_order_relaxed);
    const std::size_t place = at % kRingBytes;
    const std::size_t skip = place + size > kRingBytes ? kRingBytes - place : 0;
    if (at + skip + size - ring.read.load(std::memory_order_acquire) > kRingBytes) {
        ring.dropped.store(ring.dropped.load(std::memory_order_relaxed) + 1,
                           std::memory_order_relaxed);
        return;
    }
    if (skip > 0) {
        const std::uint32_t mark = 0;
        std::memcpy(ring.bytes.get() + place, &mark, sizeof mark);
        at += skip;
    }
    char* into = ring.bytes.get() + at % kRingBytes;
    Packed packed{static_cast<std::uint32_t>(size), r.stream, {}, {}};
    const std::int64_t numbers[kNumbers] = {r.time_us,
                                            r.tenant_id,
                                            r.status,
                                            r.input_tokens,
                                            r.output_tokens,
                                            r.cost_nano_usd,
                                            r.ttft_us,
                                            r.total_us,
                                            r.overhead_us,
                                            r.attempts,
                                            0};
    std::memcpy(packed.numbers, numbers, sizeof numbers);
    char* text_at = into + sizeof packed;
    for (std::size_t i = 0; i < kStrings; ++i) {
        const auto text = cut_utf8(strings[i], kStringBytesMax);
        packed.sizes[i] = static_cast<std::uint16_t>(text.size());
        if (!text.empty()) {
            std::memcpy(text_at, text.data(), text.size());
            text_at += text.size();
        }
    }
    std::memcpy(into, &packed, sizeof packed);
    ring.written.store(at + size, std::memory_order_release);
}

std::uint64_t AccessLog::dropped() const {
    std::uint64_t total = 0;
    for (const auto& ring : rings_) {
        total += ring->dropped.load(std::memory_order_relaxed);
    }
    return total;
}

bool AccessLog::drain(std::string& text) {
    for (auto& ring : rings_) {
        const std::uint64_t end = ring->written.load(std::memory_order_acquire);
        std::uint64_t at = ring->read.load(std::memory_order_relaxed);
        while (at < end) {
            const char* from = ring->bytes.get() + at % kRingBytes;
            std::uint32_t bytes = 0;
            std::memcpy(&bytes, from, sizeof bytes);
            if (bytes == 0) {
                at += kRingBytes - at % kRingBytes;
                continue;
            }
            Packed packed;
            std::memcpy(&packed, from, sizeof packed);
            AccessRecord r;
            std::string_view* const strings[kStrings] = {&r.request_id,
                                                         &r.client_request_id,
                                                         &r.trace_id,
                                                         &r.client_ip,
                                                         &r.key_prefix,
                                                         &r.method,
                                                         &r.path,
                                                         &r.surface,
                                                         &r.model,
                                                         &r.provider,
                                                         &r.code};
            const char* text_at = from + sizeof packed;
            for (std::size_t i = 0; i < kStrings; ++i) {
                *strings[i] = {text_at, packed.sizes[i]};
                text_at += packed.sizes[i];
            }
            std::int64_t* const numbers[] = {&r.time_us,
                                             &r.tenant_id,
                                             &r.status,
                                             &r.input_tokens,
                                             &r.output_tokens,
                                             &r.cost_nano_usd,
                                             &r.ttft_us,
                                             &r.total_us,
                                             &r.overhead_us,
                                             &r.attempts};
            for (std::size_t i = 0; i < std::size(numbers); ++i) {
                *numbers[i] = packed.numbers[i];
            }
            r.stream = packed.stream;
            append_line(text, r);
            at += bytes;
        }
        ring->read.store(at, std::memory_order_release);
    }
    return !text.empty();
}

void AccessLog::write_loop() {
    std::string text;
    for (bool last = false; !last;) {
        {
            std::unique_lock guard(lock_);
            last = wakeup_.wait_for(guard, kWriteInterval, [this] { return stopping_; });
        }
        text.clear();
        drain(text);
        for (std::string_view rest = text; !rest.empty();) {
            const auto written = ::write(fd_, rest.data(), rest.size());
            if (written > 0) {
                rest.remove_prefix(static_cast<std::size_t>(written));
            } else if (errno == EAGAIN) {
                std::this_thread::sleep_for(kWriteInterval);  // a pipe whose reader is slow
            } else if (errno != EINTR) {
                break;  // the disk is full or the pipe is gone; the next batch tries again
            }
        }
        if (text.capacity() > kRingBytes) {
            text = {};
        }
    }
}

void AccessLog::stop() {
    if (!writer_.joinable()) {
        return;
    }
    {
        const std::lock_guard guard(lock_);
        stopping_ = true;
    }
    wakeup_.notify_all();
    writer_.join();
}

}  // namespace weir::obs
