// The heads of answers, and answers that are whole.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "net/http_encode.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {
namespace {

// OpenAI's form of a wait: "120ms", "7s", "6m0s".
void append_reset(std::string& into, std::chrono::nanoseconds wait) {
    const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(wait).count(), 0));
    if (ms < 1000) {
        net::append_decimal(into, ms);
        into += "ms";
    } else if (ms < 60'000) {
        net::append_decimal(into, (ms + 999) / 1000);
        into += 's';
    } else {
        net::append_decimal(into, ms / 60'000);
        into += 'm';
        net::append_decimal(into, ms / 1000 % 60);
        into += 's';
    }
}

// Our own attempts are spent: the client's trying again would only add load.
bool spent_attempts(const Error& error) {
    switch (error.code()) {
        case Code::upstream_error:
        case Code::upstream_invalid_response:
        case Code::upstream_unavailable:
        case Code::upstream_timeout:
            return true;
        default:
            return false;
    }
}

}  // namespace

// Everything that all answers have. The caller adds what it knows, and the blank line.
void Pipeline::begin_head(Call& call, int status) {
    call.status = status;
    head_.clear();
    net::append_status_line(head_, status);
    net::append_date(head_, services_.clock.wall_now());
    net::append_field(head_, "x-request-id", call.id_text());
    if (call.door.dialect == llm::Dialect::anthropic) {
        net::append_field(head_, "request-id", call.id_text());  // where its SDK looks for it
    }
    if (!call.client_request_id.empty()) {
        net::append_field(head_, "x-client-request-id", call.client_request_id);
    }
    if (const auto rate = call.slot.request_rate()) {
        net::append_field(head_, "x-ratelimit-limit-requests", std::uint64_t{rate->limit});
        net::append_field(head_, "x-ratelimit-remaining-requests", std::uint64_t{rate->remaining});
        head_ += "x-ratelimit-reset-requests: ";
        append_reset(head_, rate->reset);
        head_ += "\r\n";
    }
    if (call.provider != nullptr) {
        net::append_field(head_, "x-weir-attempts", call.attempts_sent());
        // A settled call's time was taken a moment ago.
        const SteadyTime now = call.settled ? call.settled_at : services_.clock.steady_now();
        const auto overhead =
            std::chrono::duration_cast<std::chrono::microseconds>(call.overhead(now));
        net::append_field(head_,
                          "x-weir-overhead-us",
                          static_cast<std::uint64_t>(std::max<std::int64_t>(overhead.count(), 0)));
        // A head that is sent to keep a stream alive knows only who is asked, not who will answer.
        if (call.exposes_upstream() && !call.is_kept_alive) {
            net::append_field(head_, "x-weir-provider", call.provider->name());
            net::append_field(head_, "x-weir-model", call.choice.upstream_model);
        }
    }
    if (!call.chaos_name.empty()) {
        net::append_field(head_, "x-weir-chaos", call.chaos_name);
    }
    if (!call.dropped.empty()) {
        net::append_field(
            head_, "x-weir-dropped", fmt::format("{}", fmt::join(call.dropped, ", ")));
    }
    if (!call.http.keeps_alive()) {
        head_ += "connection: close\r\n";
    }
}

aio::Task<Result<void>> Pipeline::send_whole(Call& call,
                                             int status,
                                             std::string_view type,
                                             net::Pieces body) {
    begin_head(call, status);
    net::append_field(head_, "content-type", type);
    net::append_field(head_, "content-length", std::uint64_t{net::total_size(body)});
    if (call.cost) {
        net::append_field(head_, "x-weir-cost-usd", to_text(*call.cost));
    }
    head_ += "\r\n";
    gathered_.assign(1, head_);
    if (!call.is_head) {
        gathered_.insert(gathered_.end(), body.begin(), body.end());
    }
    const net::Io io = co_await call.http.write_copying(gathered_);
    if (!io.is_ok()) {
        co_return fail(Code::cancelled, "The client left.");
    }
    call.http.finish();
    co_return Result<void>{};
}

aio::Task<void> Pipeline::send_error(Call& call, const Error& error, std::string_view allow) {
    // A client that left reads nothing; one that has the head of an answer cannot be given another.
    if (error.code() == Code::cancelled || call.http.was_begun()) {
        co_return;
    }
    const std::string body = call.client.encode_error(error, call.id_text());
    begin_head(call, info(error.code()).status);
    if (error.retry_after()) {
        const auto ms = error.retry_after()->count();
        net::append_field(head_,
                          "retry-after",
                          static_cast<std::uint64_t>(std::max<std::int64_t>((ms + 999) / 1000, 1)));
    }
    if (spent_attempts(error)) {
        net::append_field(head_, "x-should-retry", "false");
    }
    if (error.code() == Code::invalid_api_key) {
        net::append_field(head_, "www-authenticate", "Bearer");
    }
    if (!allow.empty()) {
        net::append_field(head_, "allow", allow);
    }
    net::append_field(head_, "content-type", "application/json");
    net::append_field(head_, "content-length", std::uint64_t{body.size()});
    head_ += "\r\n";
    const std::string_view pieces[] = {head_, call.is_head ? std::string_view{} : body};
    const net::Io io = co_await call.http.write_copying(pieces);
    if (io.is_ok()) {
        call.http.finish();
    }
}

}  // namespace weir::pipeline
