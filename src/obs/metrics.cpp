#include "obs/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace weir::obs {

MetricsShard::~MetricsShard() {
    for (auto& chunk : chunks_) {
        delete chunk.load();
    }
}

std::uint64_t MetricsShard::read(std::uint32_t cell) const {
    const Chunk* chunk = chunks_[cell / kCellsPerChunk].load(std::memory_order_acquire);
    return chunk == nullptr ? 0 : (*chunk)[cell % kCellsPerChunk].load(std::memory_order_relaxed);
}

// Cells of a histogram: the sum in microseconds, then one count per bucket, the last one above all
// bounds.
void MetricsShard::observe(SeriesId series, std::int64_t microseconds) {
    const std::int64_t* end = series.bounds + series.buckets;
    const auto bucket = static_cast<std::uint32_t>(
        std::lower_bound(series.bounds, end, microseconds) - series.bounds);
    bump(series.cell, static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0)));
    bump(series.cell + 1 + bucket, 1);
}

Metrics::Metrics(std::vector<Family> families, unsigned threads)
    : families_(std::move(families)), series_(families_.size()) {
    for (unsigned i = 0; i < threads; ++i) {
        shards_.push_back(std::make_unique<MetricsShard>());
    }
}

SeriesId Metrics::series(std::size_t index, std::initializer_list<std::string_view> labels) {
    const Family& family = families_[index];
    WEIR_ASSERT(labels.size() == family.labels.size());
    std::vector<std::string> key(labels.begin(), labels.end());
    const std::lock_guard guard(lock_);
    auto& known = series_[index];
    auto found = known.find(key);
    if (found == known.end() && known.size() >= kSeriesPerFamilyMax) {
        key.assign(labels.size(), "other");
        found = known.find(key);
    }
    if (found == known.end()) {
        const auto buckets = static_cast<std::uint32_t>(family.buckets.size());
        const std::uint32_t cells = family.type == MetricType::histogram ? buckets + 2 : 1;
        WEIR_ASSERT(cells_ + cells <= kCellsPerChunk * kChunksMax);
        const SeriesId id{cells_, buckets, family.buckets.data()};
        cells_ += cells;
        found = known.emplace(key, Series{key, id, {}}).first;
    }
    return found->second.id;
}

void Metrics::provide(std::size_t family,
                      std::vector<std::string> labels,
                      std::function<double()> value) {
    WEIR_ASSERT(labels.size() == families_[family].labels.size());
    const std::lock_guard guard(lock_);
    series_[family][labels] = Series{labels, {}, std::move(value)};
}

void Metrics::provide_all(std::size_t family, std::vector<Provided> all) {
    const std::lock_guard guard(lock_);
    series_[family].clear();
    for (Provided& one : all) {
        WEIR_ASSERT(one.labels.size() == families_[family].labels.size());
        series_[family][one.labels] = Series{one.labels, {}, std::move(one.value)};
    }
}

std::uint64_t Metrics::sum(std::uint32_t cell) const {
    std::uint64_t total = 0;
    for (const auto& shard : shards_) {
        total += shard->read(cell);
    }
    return total;
}

std::string Metrics::scrape() {
    std::vector<prometheus::MetricFamily> text;
    const std::lock_guard guard(lock_);
    for (std::size_t i = 0; i < families_.size(); ++i) {
        const Family& family = families_[i];
        prometheus::MetricFamily out;
        out.name = family.name;
        out.help = family.help;
        switch (family.type) {
            case MetricType::counter:
                out.type = prometheus::MetricType::Counter;
                break;
            case MetricType::gauge:
                out.type = prometheus::MetricType::Gauge;
                break;
            case MetricType::histogram:
                out.type = prometheus::MetricType::Histogram;
                break;
        }
        for (const auto& [labels, series] : series_[i]) {
            prometheus::ClientMetric metric;
            for (std::size_t l = 0; l < labels.size(); ++l) {
                metric.label.push_back({std::string(family.labels[l]), labels[l]});
            }
            if (family.type == MetricType::histogram) {
                std::uint64_t cumulative = 0;
                for (std::uint32_t b = 0; b <= series.id.buckets; ++b) {
                    cumulative += sum(series.id.cell + 1 + b);
                    const double bound = b < series.id.buckets
                                             ? static_cast<double>(family.buckets[b]) / 1e6
                                             : std::numeric_limits<double>::infinity();
                    metric.histogram.bucket.push_back({cumulative, bound});
                }
                metric.histogram.sample_count = cumulative;
                metric.histogram.sample_sum = static_cast<double>(sum(series.id.cell)) / 1e6;
            } else {
                // A gauge goes up on one thread and down on another: the sum is signed.
                const double value =
                    series.value
                        ? series.value()
                        : static_cast<double>(static_cast<std::int64_t>(sum(series.id.cell))) *
                              family.unit;
                metric.counter.value = value;
                metric.gauge.value = value;
            }
            out.metric.push_back(std::move(metric));
        }
        if (!out.metric.empty()) {
            text.push_back(std::move(out));
        }
    }
    return prometheus::TextSerializer().Serialize(text);
}

}  // namespace weir::obs
