#include "simulate/simulator.h"

#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

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

Json usage(std::int64_t prompt_tokens, std::int64_t completion_tokens, bool cached) {
    return {{"prompt_tokens", prompt_tokens},
            {"completion_tokens", completion_tokens},
            {"total_tokens", prompt_tokens + completion_tokens},
            {"prompt_tokens_details", {{"cached_tokens", cached ? prompt_tokens / 2 : 0}}},
            {"completion_tokens_details", {{"reasoning_tokens", 0}}}};
}

std::string sse(const Json& json) {
    const std::string payload = fmt::format("data: {}\n\n", json.dump());
    return fmt::format("{:x}\r\n{}\r\n", payload.size(), payload);
}

std::int64_t count(const std::vector<std::string>& tokens) {
    return static_cast<std::int64_t>(tokens.size());
}

}  // namespace

// Holds one of the slots; frees it on every way out.
class Simulator::Slot {
public:
    explicit Slot(Simulator& simulator) : simulator_(simulator) {}
    Slot(const Slot&) = delete;
    ~Slot() { simulator_.free_slot(); }

private:
    Simulator& simulator_;
};

Simulator::Simulator(SimulatorOptions options)
    : options_(std::move(options)), random_(options_.seed) {}

aio::Task<void> Simulator::handle(net::ServerCall& call) {
    const net::RequestHead& head = call.head();
    const std::string path(head.path);
    const bool is_post = head.method == net::Method::post;
    const bool is_get = head.method == net::Method::get;
    if (is_post && path == "/v1/chat/completions") {
        co_await chat(call);
    } else if (is_post && path == "/v1/embeddings") {
        co_await embeddings(call);
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
        co_await respond_error(call, 404, "The simulator has no such path.");
    }
}

aio::Task<void> Simulator::refuse(net::ServerCall& call, const Error& error) {
    co_await respond_error(call, info(error.code()).status, error.message());
}

aio::Task<void> Simulator::chat(net::ServerCall& call) {
    const Failure failure = pick_failure(call.head().find("x-sim"));
    const auto body = co_await call.read_body(kBodyBytesMax);
    if (!body) {
        co_await respond_error(call, info(body.error().code()).status, body.error().message());
        co_return;
    }
    auto prompt = read_chat(*body);
    if (!prompt) {
        co_await respond_error(call, 400, prompt.error().message());
        co_return;
    }
    call.release_request();
    ++stats_.calls;
    const bool has_slot = co_await take_slot();
    if (!has_slot) {
        co_await respond_error(call, 429, "The simulator's queue is full.");
        co_return;
    }
    const Slot slot(*this);
    if (failure.reset) {
        ++stats_.aborted;
        co_return;  // unfinished: the server cuts the connection
    }
    if (failure.status != 0) {
        co_await respond_error(call, failure.status, "The simulator was told to fail.");
        co_return;
    }
    const bool cached = meets_cache(*prompt);
    Answer made = answer(options_.seed, *prompt);
    if (prompt->stream) {
        co_await stream(call, std::move(*prompt), std::move(made), failure, cached);
    } else {
        co_await plain(call, std::move(*prompt), std::move(made), failure, cached);
    }
}

aio::Task<void> Simulator::plain(
    net::ServerCall& call, Prompt prompt, Answer made, Failure failure, bool cached) {
    auto length = std::chrono::duration_cast<std::chrono::nanoseconds>(options_.first_token) /
                  (cached ? 10 : 1);
    for (std::size_t i = 0; i < made.tokens.size(); ++i) {
        length += token_pause();
    }
    const bool present = co_await pause(length + failure.stall);
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    std::string text;
    for (const auto& token : made.tokens) {
        text += token;
    }
    std::string body;
    if (!failure.empty) {
        body =
            Json{{"id", fmt::format("chatcmpl-sim-{}", ++next_id_)},
                 {"object", "chat.completion"},
                 {"created", kCreated},
                 {"model", prompt.model},
                 {"choices",
                  Json::array({{{"index", 0},
                                {"message",
                                 {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}}},
                                {"logprobs", nullptr},
                                {"finish_reason", made.cut_by_limit ? "length" : "stop"}}})},
                 {"usage", usage(made.prompt_tokens, count(made.tokens), cached)}}
                .dump();
    }
    if (failure.cut) {
        ++stats_.aborted;
        const std::string head = fmt::format(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
            body.size(),
            std::string_view(body).substr(0, body.size() / 2));
        const std::string_view pieces[] = {head};
        co_await call.write(pieces);
        co_return;
    }
    // Counted before the last byte leaves, like a provider that bills what it has produced.
    stats_.tokens += made.tokens.size();
    ++stats_.completed;
    co_await respond(call, 200, std::move(body));
}

aio::Task<void> Simulator::stream(
    net::ServerCall& call, Prompt prompt, Answer made, Failure failure, bool cached) {
    const std::string id = fmt::format("chatcmpl-sim-{}", ++next_id_);
    const auto chunk = [&](const Json& delta, const Json& finish_reason) {
        Json json{{"id", id},
                  {"object", "chat.completion.chunk"},
                  {"created", kCreated},
                  {"model", prompt.model},
                  {"choices",
                   Json::array({{{"index", 0},
                                 {"delta", delta},
                                 {"logprobs", nullptr},
                                 {"finish_reason", finish_reason}}})}};
        if (prompt.include_usage) {
            json["usage"] = nullptr;
        }
        return json;
    };
    const auto first = std::chrono::duration_cast<std::chrono::nanoseconds>(options_.first_token);
    bool present = co_await pause(first / (cached ? 10 : 1));
    std::string out = fmt::format(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
        "transfer-encoding: chunked\r\n{}\r\n",
        call.keeps_alive() ? "" : "connection: close\r\n");
    if (failure.empty) {
        out += "0\r\n\r\n";
        const std::string_view pieces[] = {out};
        co_await call.write(pieces);
        call.finish();
        co_return;
    }
    out += sse(chunk({{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, nullptr));
    for (std::size_t i = 0; present && i <= made.tokens.size(); ++i) {
        if (i == failure.after_tokens) {
            if (failure.stall.count() > 0) {
                const std::string_view pieces[] = {out};
                const net::Io io = co_await call.write(pieces);
                out.clear();
                present = io.is_ok();
                if (present) {
                    present = co_await pause(failure.stall);
                }
            }
            if (failure.error_in_stream) {
                out += sse({{"error",
                             {{"message", "The simulator was told to fail."},
                              {"type", "server_error"},
                              {"param", nullptr},
                              {"code", "simulated"}}}});
            }
            if (failure.cut || failure.error_in_stream) {
                const std::string_view pieces[] = {out};
                co_await call.write(pieces);
                present = false;
            }
        }
        if (!present || i == made.tokens.size()) {
            break;
        }
        out += sse(chunk({{"content", made.tokens[i]}}, nullptr));
        ++stats_.tokens;
        const auto rest = token_pause();
        // Without pauses all tokens leave together; with them each leaves when it is made.
        if (rest.count() > 0 || out.size() > (16u << 10)) {
            const std::string_view pieces[] = {out};
            const net::Io io = co_await call.write(pieces);
            out.clear();
            present = io.is_ok();
            if (present) {
                present = co_await pause(rest);
            }
        }
    }
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    out += sse(chunk(Json::object(), made.cut_by_limit ? "length" : "stop"));
    if (prompt.include_usage) {
        out += sse({{"id", id},
                    {"object", "chat.completion.chunk"},
                    {"created", kCreated},
                    {"model", prompt.model},
                    {"choices", Json::array()},
                    {"usage", usage(made.prompt_tokens, count(made.tokens), cached)}});
    }
    out += "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
    ++stats_.completed;
    const std::string_view pieces[] = {out};
    const net::Io io = co_await call.write(pieces);
    if (!io.is_ok()) {
        --stats_.completed;
        ++stats_.aborted;
        co_return;
    }
    call.finish();
}

aio::Task<void> Simulator::embeddings(net::ServerCall& call) {
    const Failure failure = pick_failure(call.head().find("x-sim"));
    const auto body = co_await call.read_body(kBodyBytesMax);
    if (!body) {
        co_await respond_error(call, info(body.error().code()).status, body.error().message());
        co_return;
    }
    auto prompt = read_embeddings(*body);
    if (!prompt) {
        co_await respond_error(call, 400, prompt.error().message());
        co_return;
    }
    call.release_request();
    ++stats_.calls;
    if (failure.reset || failure.cut) {
        ++stats_.aborted;
        co_return;
    }
    if (failure.status != 0) {
        co_await respond_error(call, failure.status, "The simulator was told to fail.");
        co_return;
    }
    const bool present = co_await pause(options_.first_token + failure.stall);
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    Json data = Json::array();
    for (std::size_t i = 0; i < prompt->inputs; ++i) {
        data.push_back(
            {{"object", "embedding"},
             {"index", i},
             {"embedding", embedding(options_.seed, prompt->text, i, prompt->dimensions)}});
    }
    const auto tokens = answer(options_.seed, *prompt).prompt_tokens;
    ++stats_.completed;
    co_await respond(call,
                     200,
                     Json{{"object", "list"},
                          {"data", std::move(data)},
                          {"model", prompt->model},
                          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}}
                         .dump());
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

bool Simulator::meets_cache(const Prompt& prompt) {
    if (options_.cache_prefix_bytes == 0 || prompt.text.size() < options_.cache_prefix_bytes) {
        return false;
    }
    if (seen_prefixes_.size() >= kPrefixesMax) {
        seen_prefixes_.clear();
    }
    const auto prefix = std::string_view(prompt.text).substr(0, options_.cache_prefix_bytes);
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

aio::Task<void> Simulator::respond_error(net::ServerCall& call,
                                         int status,
                                         std::string_view message) {
    const std::string body = Json{
        {"error",
         {{"message", message},
          {"type", status >= 500 ? "server_error" : "invalid_request_error"},
          {"param", nullptr},
          {"code",
           "simulated"}}}}.dump();
    co_await respond(call, status, body);
}

}  // namespace weir::simulate
