#include "simulate/simulator.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "simulate/embeddings.h"
#include "simulate/other_surfaces.h"
#include "simulate/words.h"

namespace weir::simulate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kBodyBytesMax = 64u << 20;
constexpr std::size_t kPrefixesMax = 100'000;
constexpr std::chrono::milliseconds kSlotPoll{2};
constexpr std::int64_t kCreated = 1'700'000'000;  // fixed, so that answers compare

std::string_view phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 413:
            return "Content Too Large";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        default:
            return "Status";
    }
}

}  // namespace

Simulator::Simulator(SimulatorOptions options)
    : options_(std::move(options)), random_(options_.seed) {}

aio::Task<void> Simulator::handle(net::ServerCall& call) {
    const net::RequestHead& head = call.head();
    const std::string path(head.path);
    const bool is_get = head.method == net::Method::get;
    const auto door = head.method == net::Method::post ? find_door(path) : std::nullopt;
    if (door && door->surface == llm::Surface::embeddings) {
        co_await embeddings(call, *door);
    } else if (door && has_reply(door->surface)) {
        co_await others(call, *door);
    } else if (door && door->surface == llm::Surface::count_tokens) {
        co_await count_tokens(call, *door);
    } else if (door) {
        co_await generate(call, *door);
    } else if (path.starts_with("/v1/responses/")) {
        co_await kept(call, std::string_view(path).substr(14));
    } else if (is_get && path == "/v1/models") {
        co_await models(call, {});
    } else if (is_get && path.starts_with("/v1/models/")) {
        co_await models(call, std::string_view(path).substr(11));
    } else if (is_get && path == "/__stats") {
        co_await respond(call,
                         200,
                         Json{{"calls", stats_.calls},
                              {"completed", stats_.completed},
                              {"aborted", stats_.aborted},
                              {"tokens", stats_.tokens}}
                             .dump());
    } else {
        co_await respond_error(
            call, llm::Dialect::openai_chat, 404, "The simulator has no such path.");
    }
}

aio::Task<void> Simulator::refuse(net::ServerCall& call, const Error& error) {
    co_await respond_error(
        call, llm::Dialect::openai_chat, info(error.code()).status, error.message());
}

aio::Task<void> Simulator::embeddings(net::ServerCall& call, Door door) {
    const Failure failure = pick_failure(call.head().find("x-sim"));
    const auto body = co_await call.read_body(kBodyBytesMax);
    if (!body) {
        co_await respond_error(
            call, door.dialect, info(body.error().code()).status, body.error().message());
        co_return;
    }
    const auto inputs = read_embeddings(door, *body);
    if (!inputs) {
        co_await respond_error(call, door.dialect, 400, inputs.error().message());
        co_return;
    }
    call.release_request();
    ++stats_.calls;
    if (failure.reset || failure.cut) {
        ++stats_.aborted;
        co_return;
    }
    if (failure.status != 0) {
        co_await respond_error(
            call, door.dialect, failure.status, "The simulator was told to fail.");
        co_return;
    }
    const bool present = co_await pause(options_.first_token + failure.stall);
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    ++stats_.completed;
    co_await respond(call, 200, write_embeddings(door, *inputs, options_.seed));
}

aio::Task<void> Simulator::others(net::ServerCall& call, Door door) {
    const Failure failure = pick_failure(call.head().find("x-sim"));
    const std::string type(call.head().find("content-type"));
    const auto body = co_await call.read_body(kBodyBytesMax);
    if (!body) {
        co_await respond_error(
            call, door.dialect, info(body.error().code()).status, body.error().message());
        co_return;
    }
    const auto made = reply(options_.seed, door, type, *body);
    if (!made) {
        co_await respond_error(call, door.dialect, 400, made.error().message());
        co_return;
    }
    call.release_request();
    const bool goes_on = co_await begin(call, door, failure);
    if (!goes_on) {
        co_return;
    }
    const Slot slot(*this);
    bool present = co_await pause(options_.first_token + failure.stall);
    stats_.tokens += static_cast<std::uint64_t>(made->tokens);
    if (present && made->parts.size() == 1 && !failure.cut && made->type == "application/json") {
        ++stats_.completed;
        co_await respond(call, 200, made->parts.front());
        co_return;
    }
    std::string out =
        fmt::format("HTTP/1.1 200 OK\r\ncontent-type: {}\r\ntransfer-encoding: chunked\r\n{}\r\n",
                    made->type,
                    call.keeps_alive() ? "" : "connection: close\r\n");
    for (std::size_t i = 0; present && i < made->parts.size(); ++i) {
        if (failure.cut && i == failure.after_tokens) {
            present = false;
            break;
        }
        out += fmt::format("{:x}\r\n{}\r\n", made->parts[i].size(), made->parts[i]);
        out += i + 1 == made->parts.size() ? "0\r\n\r\n" : "";
        const std::string_view pieces[] = {out};
        const net::Io io = co_await call.write(pieces);
        out.clear();
        present = io.is_ok();
        if (present) {
            present = co_await pause(token_pause());
        }
    }
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    ++stats_.completed;
    call.finish();
}

aio::Task<void> Simulator::models(net::ServerCall& call, std::string_view id) {
    const auto describe = [](std::string_view name) {
        return Json{
            {"id", name}, {"object", "model"}, {"created", kCreated}, {"owned_by", "simulator"}};
    };
    if (!id.empty()) {
        co_await respond(call, 200, describe(id).dump());
        co_return;
    }
    Json data = Json::array();
    for (const auto name : kSimulatedModels) {
        data.push_back(describe(name));
    }
    co_await respond(call, 200, Json{{"object", "list"}, {"data", std::move(data)}}.dump());
}

aio::Task<bool> Simulator::pause(std::chrono::nanoseconds length) {
    if (length.count() <= 0) {
        co_return true;
    }
    const aio::Wake wake = co_await aio::sleep(aio::Deadline::in(length));
    co_return wake == aio::Wake::timed_out;
}

aio::Task<bool> Simulator::take_slot() {
    if (options_.slots == 0 || busy_ < options_.slots) {
        ++busy_;
        co_return true;
    }
    if (waiting_ >= options_.queue) {
        co_return false;
    }
    ++waiting_;
    bool present = true;
    while (present && busy_ >= options_.slots) {
        present = co_await pause(kSlotPoll);
    }
    --waiting_;
    if (present) {
        ++busy_;
    }
    co_return present;
}

void Simulator::free_slot() { --busy_; }

Failure Simulator::pick_failure(std::string_view header) {
    if (!header.empty()) {
        return parse_failure(header).value_or(Failure{.status = 400});
    }
    double dice = random_.unit();
    for (const auto& rate : options_.failures) {
        if (dice < rate.share) {
            return rate.failure;
        }
        dice -= rate.share;
    }
    return {};
}

bool Simulator::meets_cache(std::string_view prompt) {
    if (options_.cache_prefix_bytes == 0 || prompt.size() < options_.cache_prefix_bytes) {
        return false;
    }
    if (seen_prefixes_.size() >= kPrefixesMax) {
        seen_prefixes_.clear();
    }
    const auto prefix = prompt.substr(0, options_.cache_prefix_bytes);
    return !seen_prefixes_.emplace(hash(0, prefix), true).second;
}

std::chrono::nanoseconds Simulator::token_pause() {
    if (options_.tokens_per_second <= 0) {
        return std::chrono::nanoseconds{0};
    }
    const double factor = 1 + options_.jitter * (random_.unit() * 2 - 1);
    return std::chrono::nanoseconds{
        static_cast<std::int64_t>(1e9 / options_.tokens_per_second * factor)};
}

aio::Task<void> Simulator::respond(net::ServerCall& call, int status, std::string body) {
    const std::string head = fmt::format(
        "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{}\r\n",
        status,
        phrase(status),
        body.size(),
        call.keeps_alive() ? "" : "connection: close\r\n");
    const std::string_view pieces[] = {head, body};
    const net::Io io = co_await call.write(pieces);
    if (io.is_ok()) {
        call.finish();
    }
}

namespace {

// What the status means, for the words of each dialect.
Code code_of(int status) {
    switch (status) {
        case 401:
            return Code::invalid_api_key;
        case 403:
            return Code::permission_denied;
        case 404:
            return Code::not_found;
        case 413:
            return Code::payload_too_large;
        case 429:
            return Code::rate_limited;
        case 503:
        case 529:
            return Code::overloaded;
        case 504:
            return Code::upstream_timeout;
        default:
            return status < 500 ? Code::invalid_request : Code::internal;
    }
}

}  // namespace

aio::Task<void> Simulator::respond_error(net::ServerCall& call,
                                         llm::Dialect dialect,
                                         int status,
                                         std::string message) {
    const dialect::ClientEdge* const client = dialect::client_edge(dialect);
    co_await respond(
        call, status, client->encode_error(Error(code_of(status), std::move(message)), "req_sim"));
}

}  // namespace weir::simulate
