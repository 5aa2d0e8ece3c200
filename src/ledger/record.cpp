#include "ledger/record.h"

#include <cstring>

#include "base/assert.h"
#include "base/text.h"

namespace weir::ledger {
namespace {

constexpr std::uint8_t kVersion = 1;

class Writer {
public:
    explicit Writer(std::span<char> into) : into_(into) {}
    void byte(std::uint8_t value) { raw(&value, 1); }
    void number(std::int64_t value) { raw(&value, sizeof value); }
    void optional(const std::optional<std::int64_t>& value) {
        byte(value ? 1 : 0);
        number(value.value_or(0));
    }
    void id(const Uuid& value) { raw(value.bytes.data(), value.bytes.size()); }
    void text(std::string_view value) {
        value = cut_utf8(value, kNameBytesMax);
        byte(static_cast<std::uint8_t>(value.size()));
        raw(value.data(), value.size());
    }
    std::size_t size() const { return size_; }

private:
    void raw(const void* from, std::size_t bytes) {
        WEIR_ASSERT(size_ + bytes <= into_.size());
        std::memcpy(into_.data() + size_, from, bytes);
        size_ += bytes;
    }
    std::span<char> into_;
    std::size_t size_ = 0;
};

class Reader {
public:
    explicit Reader(std::string_view from) : from_(from) {}
    std::uint8_t byte() {
        std::uint8_t value = 0;
        raw(&value, 1);
        return value;
    }
    std::int64_t number() {
        std::int64_t value = 0;
        raw(&value, sizeof value);
        return value;
    }
    std::optional<std::int64_t> optional() {
        const bool has = byte() != 0;
        const std::int64_t value = number();
        return has ? std::optional(value) : std::nullopt;
    }
    Uuid id() {
        Uuid value;
        raw(value.bytes.data(), value.bytes.size());
        return value;
    }
    std::string_view text() {
        const std::size_t size = byte();
        if (size > from_.size()) {
            good_ = false;
            return {};
        }
        const std::string_view value = from_.substr(0, size);
        from_.remove_prefix(size);
        return value;
    }
    bool is_good() const { return good_; }

private:
    void raw(void* into, std::size_t bytes) {
        if (bytes > from_.size()) {
            good_ = false;
            return;
        }
        std::memcpy(into, from_.data(), bytes);
        from_.remove_prefix(bytes);
    }
    std::string_view from_;
    bool good_ = true;
};

}  // namespace

std::size_t encode(const Opened& r, std::span<char> into) {
    Writer w(into);
    w.byte(kVersion);
    w.id(r.request_id);
    w.number(r.tenant_id);
    w.number(r.key_id);
    w.number(micros(r.started_at));
    w.byte(static_cast<std::uint8_t>(r.surface));
    w.byte(r.streamed ? 1 : 0);
    w.number(r.hold_input_tokens);
    w.number(r.hold_output_tokens);
    w.text(r.model);
    w.text(r.provider);
    return w.size();
}

std::optional<Opened> decode_opened(std::string_view bytes) {
    Reader r(bytes);
    if (r.byte() != kVersion) {
        return std::nullopt;
    }
    Opened o;
    o.request_id = r.id();
    o.tenant_id = r.number();
    o.key_id = r.number();
    o.started_at = wall_from_micros(r.number());
    o.surface = static_cast<llm::Surface>(r.byte());
    o.streamed = r.byte() != 0;
    o.hold_input_tokens = r.number();
    o.hold_output_tokens = r.number();
    o.model = r.text();
    o.provider = r.text();
    return r.is_good() ? std::optional(o) : std::nullopt;
}

std::size_t encode(const Kept& r, std::span<char> into) {
    Writer w(into);
    w.byte(kVersion);
    w.number(r.tenant_id);
    w.number(micros(r.made_at));
    w.text(r.provider);
    w.text(r.credential);
    w.text(r.id);
    return w.size();
}

std::optional<Kept> decode_kept(std::string_view bytes) {
    Reader r(bytes);
    if (r.byte() != kVersion) {
        return std::nullopt;
    }
    Kept kept;
    kept.tenant_id = r.number();
    kept.made_at = wall_from_micros(r.number());
    kept.provider = r.text();
    kept.credential = r.text();
    kept.id = r.text();
    return r.is_good() ? std::optional(kept) : std::nullopt;
}

store::KeptId to_row(const Kept& record) {
    return {.id = std::string(record.id),
            .tenant_id = record.tenant_id,
            .provider = std::string(record.provider),
            .credential = std::string(record.credential),
            .made_at = record.made_at};
}

std::size_t encode(const Settled& r, std::span<char> into) {
    Writer w(into);
    w.byte(kVersion);
    w.id(r.request_id);
    w.number(r.tenant_id);
    w.number(r.key_id);
    w.number(micros(r.started_at));
    w.byte(static_cast<std::uint8_t>(r.surface));
    w.byte(r.streamed ? 1 : 0);
    w.number(r.status);
    w.number(r.usage.input_tokens);
    w.number(r.usage.cache_read_tokens);
    w.number(r.usage.cache_write_tokens);
    w.number(r.usage.output_tokens);
    w.number(r.usage.reasoning_tokens);
    w.byte(r.usage.estimated ? 1 : 0);
    w.optional(r.cost_nano_usd);
    w.number(r.hold_tokens);
    w.optional(r.ttft_us);
    w.number(r.total_us);
    w.number(r.overhead_us);
    w.text(r.model);
    w.text(r.provider);
    w.text(r.code);
    WEIR_ASSERT(r.attempt_count <= kAttemptsMax);
    w.byte(static_cast<std::uint8_t>(r.attempt_count));
    for (std::size_t i = 0; i < r.attempt_count; ++i) {
        const SettledAttempt& a = r.attempts[i];
        w.text(a.provider);
        w.text(a.model);
        w.text(a.code);
        w.number(a.status);
        w.number(a.started_offset_us);
        w.number(a.duration_us);
        w.number(a.input_tokens);
        w.number(a.output_tokens);
        w.optional(a.cost_nano_usd);
    }
    return w.size();
}

std::optional<Settled> decode_settled(std::string_view bytes) {
    Reader r(bytes);
    if (r.byte() != kVersion) {
        return std::nullopt;
    }
    Settled s;
    s.request_id = r.id();
    s.tenant_id = r.number();
    s.key_id = r.number();
    s.started_at = wall_from_micros(r.number());
    s.surface = static_cast<llm::Surface>(r.byte());
    s.streamed = r.byte() != 0;
    s.status = r.number();
    s.usage.input_tokens = r.number();
    s.usage.cache_read_tokens = r.number();
    s.usage.cache_write_tokens = r.number();
    s.usage.output_tokens = r.number();
    s.usage.reasoning_tokens = r.number();
    s.usage.estimated = r.byte() != 0;
    s.cost_nano_usd = r.optional();
    s.hold_tokens = r.number();
    s.ttft_us = r.optional();
    s.total_us = r.number();
    s.overhead_us = r.number();
    s.model = r.text();
    s.provider = r.text();
    s.code = r.text();
    s.attempt_count = r.byte();
    if (s.attempt_count > kAttemptsMax) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < s.attempt_count; ++i) {
        SettledAttempt& a = s.attempts[i];
        a.provider = r.text();
        a.model = r.text();
        a.code = r.text();
        a.status = r.number();
        a.started_offset_us = r.number();
        a.duration_us = r.number();
        a.input_tokens = r.number();
        a.output_tokens = r.number();
        a.cost_nano_usd = r.optional();
    }
    return r.is_good() ? std::optional(s) : std::nullopt;
}

store::Call to_row(const Settled& r) {
    store::Call row;
    row.request_id = r.request_id;
    row.tenant_id = r.tenant_id;
    row.key_id = r.key_id;
    row.created_at = r.started_at;
    row.surface = llm::name(r.surface);
    row.model = r.model;
    row.provider = r.provider;
    row.code = r.code;
    row.status = r.status;
    row.streamed = r.streamed;
    row.input_tokens = r.usage.input_tokens;
    row.cache_read_tokens = r.usage.cache_read_tokens;
    row.cache_write_tokens = r.usage.cache_write_tokens;
    row.output_tokens = r.usage.output_tokens;
    row.reasoning_tokens = r.usage.reasoning_tokens;
    row.estimated = r.usage.estimated;
    row.cost_nano_usd = r.cost_nano_usd;
    row.hold_tokens = r.hold_tokens;
    row.ttft_us = r.ttft_us;
    row.total_us = r.total_us;
    row.overhead_us = r.overhead_us;
    for (std::size_t i = 0; i < r.attempt_count; ++i) {
        const SettledAttempt& a = r.attempts[i];
        row.attempts.push_back(
            {.provider = std::string(a.provider),
             .model = std::string(a.model),
             .code = std::string(a.code),
             .status = a.status,
             .started_at = r.started_at + std::chrono::microseconds{a.started_offset_us},
             .duration_us = a.duration_us,
             .input_tokens = a.input_tokens,
             .output_tokens = a.output_tokens,
             .cost_nano_usd = a.cost_nano_usd});
    }
    return row;
}

store::Call to_interrupted_row(const Opened& r) {
    store::Call row;
    row.request_id = r.request_id;
    row.tenant_id = r.tenant_id;
    row.key_id = r.key_id;
    row.created_at = r.started_at;
    row.surface = llm::name(r.surface);
    row.model = r.model;
    row.provider = r.provider;
    row.code = "interrupted";
    row.streamed = r.streamed;
    row.input_tokens = r.hold_input_tokens;
    row.estimated = true;
    row.hold_tokens = r.hold_input_tokens + r.hold_output_tokens;
    return row;
}

}  // namespace weir::ledger
