#include "store/usage.h"

#include "store/kept_ids.h"

#include <fmt/format.h>
#include <soci/soci.h>

#include "base/assert.h"

namespace weir::store {
namespace {

using Numbers = std::vector<long long>;
using Indicators = std::vector<soci::indicator>;

// One row's columns side by side, bound as vectors: SOCI then costs 0.2-0.6 us a row over raw
// SQLite.
struct CallColumns {
    Numbers id, tenant_id, key_id, created_us, surface, model, provider, code, status, streamed,
        input, cache_read, cache_write, output, reasoning, estimated, cost, hold, ttft, total,
        overhead;
    Indicators has_cost, has_ttft;
    std::vector<std::string> request_id;

    void reserve(std::size_t rows) {
        for (Numbers* column :
             {&id,          &tenant_id, &key_id,    &created_us, &surface, &model,
              &provider,    &code,      &status,    &streamed,   &input,   &cache_read,
              &cache_write, &output,    &reasoning, &estimated,  &cost,    &hold,
              &ttft,        &total,     &overhead}) {
            column->reserve(rows);
        }
        has_cost.reserve(rows);
        has_ttft.reserve(rows);
        request_id.reserve(rows);
    }
};
struct AttemptColumns {
    Numbers call, number, provider, model, code, status, started_us, duration_us, input, output,
        cost;
    Indicators has_cost;

    void reserve(std::size_t rows) {
        for (Numbers* column : {&call,
                                &number,
                                &provider,
                                &model,
                                &code,
                                &status,
                                &started_us,
                                &duration_us,
                                &input,
                                &output,
                                &cost}) {
            column->reserve(rows);
        }
        has_cost.reserve(rows);
    }
};

soci::indicator present(bool has) { return has ? soci::i_ok : soci::i_null; }

constexpr const char* kSelect =
    "SELECT u.id, u.request_id, u.tenant_id, u.key_id, u.created_us, s.text, m.text, p.text, "
    "c.text, u.status, "
    "u.streamed, u.input_tokens, u.cache_read_tokens, u.cache_write_tokens, u.output_tokens, "
    "u.reasoning_tokens, "
    "u.estimated, u.cost_nano_usd, u.hold_tokens, u.ttft_us, u.total_us, u.overhead_us "
    "FROM usage_logs u JOIN names s ON s.id = u.surface_id JOIN names m ON m.id = u.model_id "
    "JOIN names p ON p.id = u.provider_id JOIN names c ON c.id = u.code_id ";

struct CallRow {
    long long id = 0, tenant = 0, key = 0, created = 0, status = 0, streamed = 0, input = 0,
              cache_read = 0, cache_write = 0, output = 0, reasoning = 0, estimated = 0, cost = 0,
              hold = 0, ttft = 0, total = 0, overhead = 0;
    soci::indicator has_cost = soci::i_null, has_ttft = soci::i_null;
    std::string request_id, surface, model, provider, code;

    void bind(soci::statement& statement) {
        using soci::into;
        statement.exchange(into(id));
        statement.exchange(into(request_id));
        statement.exchange(into(tenant));
        statement.exchange(into(key));
        statement.exchange(into(created));
        statement.exchange(into(surface));
        statement.exchange(into(model));
        statement.exchange(into(provider));
        statement.exchange(into(code));
        statement.exchange(into(status));
        statement.exchange(into(streamed));
        statement.exchange(into(input));
        statement.exchange(into(cache_read));
        statement.exchange(into(cache_write));
        statement.exchange(into(output));
        statement.exchange(into(reasoning));
        statement.exchange(into(estimated));
        statement.exchange(into(cost, has_cost));
        statement.exchange(into(hold));
        statement.exchange(into(ttft, has_ttft));
        statement.exchange(into(total));
        statement.exchange(into(overhead));
    }
    Call call() const {
        Call call;
        WEIR_ASSERT(request_id.size() == call.request_id.bytes.size());
        std::copy(request_id.begin(), request_id.end(), call.request_id.bytes.begin());
        call.tenant_id = tenant;
        call.key_id = key;
        call.created_at = wall_from_micros(created);
        call.surface = surface;
        call.model = model;
        call.provider = provider;
        call.code = code;
        call.status = status;
        call.streamed = streamed != 0;
        call.input_tokens = input;
        call.cache_read_tokens = cache_read;
        call.cache_write_tokens = cache_write;
        call.output_tokens = output;
        call.reasoning_tokens = reasoning;
        call.estimated = estimated != 0;
        call.cost_nano_usd =
            has_cost == soci::i_ok ? std::optional<std::int64_t>(cost) : std::nullopt;
        call.hold_tokens = hold;
        call.ttft_us = has_ttft == soci::i_ok ? std::optional<std::int64_t>(ttft) : std::nullopt;
        call.total_us = total;
        call.overhead_us = overhead;
        return call;
    }
};

// Conditions with their values; SOCI binds by reference, so both live here until the statement ran.
struct Where {
    std::string text;
    std::vector<std::unique_ptr<long long>> numbers;
    std::vector<std::unique_ptr<std::string>> texts;
    std::vector<std::pair<bool, std::size_t>> order;  // is text, index

    void add(std::string_view condition, std::int64_t value) {
        join(condition);
        order.emplace_back(false, numbers.size());
        numbers.push_back(std::make_unique<long long>(value));
    }
    void add(std::string_view condition, const std::string& value) {
        join(condition);
        order.emplace_back(true, texts.size());
        texts.push_back(std::make_unique<std::string>(value));
    }
    void bind(soci::statement& statement) const {
        for (const auto& [is_text, index] : order) {
            if (is_text) {
                statement.exchange(soci::use(*texts[index]));
            } else {
                statement.exchange(soci::use(*numbers[index]));
            }
        }
    }

private:
    void join(std::string_view condition) {
        text += (text.empty() ? "WHERE " : " AND ") +
                fmt::format(fmt::runtime(condition), order.size());
    }
};

}  // namespace

std::int64_t UsageWriter::name_id(soci::session& sql, const std::string& text) {
    const auto known = name_ids_.find(text);
    if (known != name_ids_.end()) {
        return known->second;
    }
    long long id = 0;
    soci::indicator found = soci::i_null;
    sql << "SELECT id FROM names WHERE text = :t", soci::use(text), soci::into(id, found);
    if (!sql.got_data()) {
        sql << "INSERT INTO names(text) VALUES(:t)", soci::use(text);
        sql << "SELECT id FROM names WHERE text = :t", soci::use(text), soci::into(id);
    }
    name_ids_.emplace(text, id);
    return id;
}

Result<void> UsageWriter::write(const Batch& batch) {
    auto result = database_.write([&](soci::session& sql) -> Result<void> {
        if (!batch.calls.empty()) {
            // Asked each time: during a hand-over two processes write.
            long long last = 0;
            sql << "SELECT COALESCE(MAX(id), 0) FROM usage_logs", soci::into(last);
            std::int64_t next_id = last + 1;
            CallColumns c;
            AttemptColumns a;
            c.reserve(batch.calls.size());
            a.reserve(batch.calls.size());  // most calls have one
            for (const Call& call : batch.calls) {
                const std::int64_t id = next_id++;
                c.id.push_back(id);
                c.request_id.emplace_back(call.request_id.bytes.begin(),
                                          call.request_id.bytes.end());
                c.tenant_id.push_back(call.tenant_id);
                c.key_id.push_back(call.key_id);
                c.created_us.push_back(micros(call.created_at));
                c.surface.push_back(name_id(sql, call.surface));
                c.model.push_back(name_id(sql, call.model));
                c.provider.push_back(name_id(sql, call.provider));
                c.code.push_back(name_id(sql, call.code));
                c.status.push_back(call.status);
                c.streamed.push_back(call.streamed ? 1 : 0);
                c.input.push_back(call.input_tokens);
                c.cache_read.push_back(call.cache_read_tokens);
                c.cache_write.push_back(call.cache_write_tokens);
                c.output.push_back(call.output_tokens);
                c.reasoning.push_back(call.reasoning_tokens);
                c.estimated.push_back(call.estimated ? 1 : 0);
                c.cost.push_back(call.cost_nano_usd.value_or(0));
                c.has_cost.push_back(present(call.cost_nano_usd.has_value()));
                c.hold.push_back(call.hold_tokens);
                c.ttft.push_back(call.ttft_us.value_or(0));
                c.has_ttft.push_back(present(call.ttft_us.has_value()));
                c.total.push_back(call.total_us);
                c.overhead.push_back(call.overhead_us);
                long long number = 0;
                for (const Attempt& attempt : call.attempts) {
                    a.call.push_back(id);
                    a.number.push_back(++number);
                    a.provider.push_back(name_id(sql, attempt.provider));
                    a.model.push_back(name_id(sql, attempt.model));
                    a.code.push_back(name_id(sql, attempt.code));
                    a.status.push_back(attempt.status);
                    a.started_us.push_back(micros(attempt.started_at));
                    a.duration_us.push_back(attempt.duration_us);
                    a.input.push_back(attempt.input_tokens);
                    a.output.push_back(attempt.output_tokens);
                    a.cost.push_back(attempt.cost_nano_usd.value_or(0));
                    a.has_cost.push_back(present(attempt.cost_nano_usd.has_value()));
                }
            }
            using soci::use;
            // SOCI has no vector of blobs: text bound through CAST arrives as its bytes, NULs
            // included.
            sql << "INSERT INTO usage_logs(id, request_id, tenant_id, key_id, created_us, "
                   "surface_id, model_id, "
                   "provider_id, code_id, status, streamed, input_tokens, cache_read_tokens, "
                   "cache_write_tokens, "
                   "output_tokens, reasoning_tokens, estimated, cost_nano_usd, hold_tokens, "
                   "ttft_us, total_us, "
                   "overhead_us) VALUES(:id, CAST(:rid AS BLOB), :tenant, :key, :created, "
                   ":surface, :model, :provider, "
                   ":code, :status, :streamed, :input, :cread, :cwrite, :output, :reasoning, "
                   ":estimated, :cost, :hold, "
                   ":ttft, :total, :overhead)",
                use(c.id), use(c.request_id), use(c.tenant_id), use(c.key_id), use(c.created_us),
                use(c.surface), use(c.model), use(c.provider), use(c.code), use(c.status),
                use(c.streamed), use(c.input), use(c.cache_read), use(c.cache_write), use(c.output),
                use(c.reasoning), use(c.estimated), use(c.cost, c.has_cost), use(c.hold),
                use(c.ttft, c.has_ttft), use(c.total), use(c.overhead);
            if (!a.call.empty()) {
                sql << "INSERT INTO usage_attempts(call_id, number, provider_id, model_id, "
                       "code_id, status, started_us, "
                       "duration_us, input_tokens, output_tokens, cost_nano_usd) VALUES(:call, "
                       ":number, :provider, "
                       ":model, :code, :status, :started, :duration, :input, :output, :cost)",
                    use(a.call), use(a.number), use(a.provider), use(a.model), use(a.code),
                    use(a.status), use(a.started_us), use(a.duration_us), use(a.input),
                    use(a.output), use(a.cost, a.has_cost);
            }
        }
        for (const auto& [thread, sequence] : batch.positions) {
            const long long t = thread;
            const long long s = sequence;
            sql << "DELETE FROM journal_position WHERE journal = :j AND thread = :t",
                soci::use(batch.journal), soci::use(t);
            sql << "INSERT INTO journal_position(journal, thread, sequence) VALUES(:j, :t, :s)",
                soci::use(batch.journal), soci::use(t), soci::use(s);
        }
        for (const auto& kept : batch.kept) {
            const long long tenant = kept.tenant_id;
            const long long expires = micros(kept.made_at + kKeptFor);
            sql << "INSERT INTO kept_ids(id, tenant_id, provider, credential, expires_us) "
                   "VALUES(:i, :t, :p, :c, :e) ON CONFLICT(id) DO NOTHING",
                soci::use(kept.id), soci::use(tenant), soci::use(kept.provider),
                soci::use(kept.credential), soci::use(expires);
        }
        for (const auto& id : batch.closed) {
            sql << "DELETE FROM journal_open_calls WHERE journal = :j AND request_id = :r",
                soci::use(batch.journal), soci::use(id);
        }
        for (const auto& open : batch.opened) {
            sql << "INSERT INTO journal_open_calls(journal, request_id, record) VALUES(:j, :r, :d)",
                soci::use(batch.journal), soci::use(open.request_id), soci::use(open.record);
        }
        if (batch.finished) {
            sql << "INSERT INTO journals_finished(journal) VALUES(:j)", soci::use(batch.journal);
        }
        return {};
    });
    if (!result) {
        name_ids_.clear();  // names made in what was rolled back have no id
    }
    return result;
}

Result<UsageWriter::JournalState> UsageWriter::journal_state(const std::string& journal) {
    JournalState state;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        {
            long long thread = 0;
            long long sequence = 0;
            soci::statement rows =
                (sql.prepare << "SELECT thread, sequence FROM journal_position WHERE journal = :j",
                 soci::use(journal),
                 soci::into(thread),
                 soci::into(sequence));
            rows.execute();
            while (rows.fetch()) {
                state.positions[thread] = sequence;
            }
        }
        {
            OpenCall open;
            soci::statement rows =
                (sql.prepare
                     << "SELECT request_id, record FROM journal_open_calls WHERE journal = :j",
                 soci::use(journal),
                 soci::into(open.request_id),
                 soci::into(open.record));
            rows.execute();
            while (rows.fetch()) {
                state.open_calls.push_back(open);
            }
        }
        int finished = 0;
        sql << "SELECT COUNT(*) FROM journals_finished WHERE journal = :j", soci::use(journal),
            soci::into(finished);
        state.finished = finished > 0;
        return {};
    }));
    return state;
}

Result<void> UsageWriter::forget(const std::string& journal) {
    return database_.write([&](soci::session& sql) -> Result<void> {
        for (const auto* table : {"journal_position", "journal_open_calls", "journals_finished"}) {
            sql << fmt::format("DELETE FROM {} WHERE journal = :j", table), soci::use(journal);
        }
        return {};
    });
}

Result<UsagePage> Usage::page(const UsageFilter& filter) {
    UsagePage page;
    Where where;
    if (filter.tenant_id) {
        where.add("u.tenant_id = :v{}", *filter.tenant_id);
    }
    if (filter.key_id) {
        where.add("u.key_id = :v{}", *filter.key_id);
    }
    if (filter.model) {
        where.add("m.text = :v{}", *filter.model);
    }
    if (filter.provider) {
        where.add("p.text = :v{}", *filter.provider);
    }
    if (filter.code) {
        where.add("c.text = :v{}", *filter.code);
    }
    if (filter.from) {
        where.add("u.created_us >= :v{}", micros(*filter.from));
    }
    if (filter.to) {
        where.add("u.created_us < :v{}", micros(*filter.to));
    }
    if (filter.before_id) {
        where.add("u.id < :v{}", *filter.before_id);
    }
    const std::size_t limit = std::min(filter.limit, kUsagePageMax);
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        CallRow row;
        soci::statement rows(sql);
        rows.alloc();
        rows.prepare(
            fmt::format("{}{} ORDER BY u.id DESC LIMIT {}", kSelect, where.text, limit + 1));
        where.bind(rows);
        row.bind(rows);
        rows.define_and_bind();
        rows.execute(false);
        std::int64_t last_id = 0;
        while (rows.fetch()) {
            if (page.calls.size() == limit) {
                page.next_before_id = last_id;
                break;
            }
            page.calls.push_back(row.call());
            last_id = row.id;
        }
        return {};
    }));
    return page;
}

Result<std::optional<Call>> Usage::find(const Uuid& request_id) {
    // The id's own time narrows the search to one millisecond of each tenant's index.
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        ms = ms << 8 | request_id.bytes[i];
    }
    std::optional<Call> found;
    WEIR_TRY(database_.read([&](soci::session& sql) -> Result<void> {
        CallRow row;
        const long long from = ms * 1000;
        const long long to = from + 1000;
        const std::string id(request_id.bytes.begin(), request_id.bytes.end());
        {
            soci::statement rows(sql);
            rows.alloc();
            rows.prepare(std::string(kSelect) +
                         "WHERE u.tenant_id IN (SELECT 0 UNION SELECT id FROM tenants) AND "
                         "u.created_us >= :from AND "
                         "u.created_us < :to AND u.request_id = CAST(:id AS BLOB)");
            rows.exchange(soci::use(from));
            rows.exchange(soci::use(to));
            rows.exchange(soci::use(id));
            row.bind(rows);
            rows.define_and_bind();
            rows.execute(false);
            if (!rows.fetch()) {
                return {};
            }
        }
        found = row.call();
        Attempt attempt;
        long long status = 0, started = 0, duration = 0, input = 0, output = 0, cost = 0;
        soci::indicator has_cost = soci::i_null;
        soci::statement rows =
            (sql.prepare
                 << "SELECT p.text, m.text, c.text, a.status, a.started_us, a.duration_us, "
                    "a.input_tokens, "
                    "a.output_tokens, a.cost_nano_usd FROM usage_attempts a JOIN names p ON p.id = "
                    "a.provider_id JOIN names m ON m.id = a.model_id JOIN names c ON c.id = "
                    "a.code_id WHERE "
                    "a.call_id = :id ORDER BY a.number",
             soci::use(row.id),
             soci::into(attempt.provider),
             soci::into(attempt.model),
             soci::into(attempt.code),
             soci::into(status),
             soci::into(started),
             soci::into(duration),
             soci::into(input),
             soci::into(output),
             soci::into(cost, has_cost));
        rows.execute();
        while (rows.fetch()) {
            attempt.status = status;
            attempt.started_at = wall_from_micros(started);
            attempt.duration_us = duration;
            attempt.input_tokens = input;
            attempt.output_tokens = output;
            attempt.cost_nano_usd =
                has_cost == soci::i_ok ? std::optional<std::int64_t>(cost) : std::nullopt;
            found->attempts.push_back(attempt);
        }
        return {};
    }));
    return found;
}

}  // namespace weir::store
