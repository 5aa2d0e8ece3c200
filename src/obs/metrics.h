// Counters, gauges and histograms. Each thread counts in a shard of its own, with plain loads and
// stores; a scrape adds the shards up. prometheus-cpp only writes the text (its own histogram takes
// a mutex).
//
// Series are made under a lock and cached by their users as ids; a family has a bounded number,
// after which new label values are counted under `other`.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::obs {

enum class MetricType : std::uint8_t { counter, gauge, histogram };

struct Family {
    std::string_view name, help;
    MetricType type = MetricType::counter;
    std::vector<std::string_view> labels;
    double unit = 1;  // what one count is worth in the text: 1e-9 for nano-dollars
    std::vector<std::int64_t> buckets;  // upper bounds in microseconds, histograms only
};

inline constexpr std::size_t kSeriesPerFamilyMax = 2000;
inline constexpr std::size_t kCellsPerChunk = 1024;
inline constexpr std::size_t kChunksMax = 256;

// A series' first cell; histograms own the cells behind it.
struct SeriesId {
    std::uint32_t cell = 0;
    std::uint32_t buckets = 0;
    const std::int64_t* bounds = nullptr;
};

// Written by one thread at a time, read by any.
class MetricsShard {
public:
    ~MetricsShard();
    void add(SeriesId series, std::uint64_t count = 1) { bump(series.cell, count); }
    void subtract(SeriesId series, std::uint64_t count = 1) { bump(series.cell, ~count + 1); }
    void observe(SeriesId series, std::int64_t microseconds);

private:
    friend class Metrics;
    using Chunk = std::array<std::atomic<std::uint64_t>, kCellsPerChunk>;
    void bump(std::uint32_t cell, std::uint64_t count) {
        Chunk* chunk = chunks_[cell / kCellsPerChunk].load(std::memory_order_relaxed);
        if (chunk == nullptr) [[unlikely]] {
            chunk = new Chunk{};
            chunks_[cell / kCellsPerChunk].store(chunk, std::memory_order_release);
        }
        auto& value = (*chunk)[cell % kCellsPerChunk];
        value.store(value.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    std::uint64_t read(std::uint32_t cell) const;
    std::array<std::atomic<Chunk*>, kChunksMax> chunks_{};
};

class Metrics {
public:
    // One shard for each of `threads` call threads.
    Metrics(std::vector<Family> families, unsigned threads);

    // `family` is an index into the families. Any thread.
    SeriesId series(std::size_t family, std::initializer_list<std::string_view> labels);
    MetricsShard& shard(unsigned thread) { return *shards_[thread]; }

    // A gauge or counter whose value is asked for at scrape. Any thread.
    void provide(std::size_t family,
                 std::vector<std::string> labels,
                 std::function<double()> value);

    // The same of a whole family, in the place of what was provided of it before.
    struct Provided {
        std::vector<std::string> labels;
        std::function<double()> value;
    };
    void provide_all(std::size_t family, std::vector<Provided> all);

    // Prometheus text format 0.0.4. Any thread.
    std::string scrape();

private:
    struct Series {
        std::vector<std::string> labels;
        SeriesId id;
        std::function<double()> value;
    };
    std::uint64_t sum(std::uint32_t cell) const;

    const std::vector<Family> families_;
    std::vector<std::unique_ptr<MetricsShard>> shards_;
    std::mutex lock_;
    std::vector<std::map<std::vector<std::string>, Series>>
        series_;               // per family, guarded by lock_
    std::uint32_t cells_ = 0;  // guarded by lock_
};

}  // namespace weir::obs
