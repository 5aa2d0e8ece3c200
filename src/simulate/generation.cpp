// The simulator's model at work, in any dialect: a request is decoded, answered, encoded, whole or
// as a stream that keeps the pace it was told.
#include <fmt/format.h>

#include "dialect/json/document.h"
#include "simulate/simulator.h"
#include "simulate/words.h"

namespace weir::simulate {

using Kind = llm::Event::Kind;

namespace {

constexpr std::size_t kBodyBytesMax = 64u << 20;
constexpr std::int64_t kCreated = 1'700'000'000;  // fixed, so that answers compare
// Without pauses all tokens leave together, this much at a time.
constexpr std::size_t kWriteBytes = 16u << 10;

llm::PartKind kind_of(const llm::Part& part) {
    if (llm::as<llm::Reasoning>(part) != nullptr) {
        return llm::PartKind::reasoning;
    }
    if (llm::as<llm::Refusal>(part) != nullptr) {
        return llm::PartKind::refusal;
    }
    return llm::as<llm::ToolCall>(part) != nullptr ? llm::PartKind::tool_call : llm::PartKind::text;
}

llm::Event begin_of(const llm::Part& part, std::uint32_t number) {
    llm::Event event{.kind = Kind::part_begin, .part = number, .part_kind = kind_of(part)};
    if (const auto* tool = llm::as<llm::ToolCall>(part)) {
        event.id = tool->id;
        event.name = tool->name;
        event.signature = tool->signature.text;
        event.signature_of = tool->signature.of;
    }
    return event;
}

// The simulator remembers that an answer was given, not what came before it: a conversation that it
// keeps goes on with what is new, and an item that is named by its id says nothing.
std::string without_history(std::string_view body) {
    dialect::json::Document document;
    const auto root = document.parse(body, dialect::json::Duplicates::allowed);
    dialect::json::Splice splice(body);
    if (!root) {
        return std::string(body);
    }
    for (const dialect::json::Value field : *root) {
        if (field.key() == "previous_response_id") {
            splice.replace(field.span(), "null");
        }
        for (const dialect::json::Value item : field) {
            if (field.key() == "input" && item["type"].equals("item_reference")) {
                splice.replace(item.span(), R"({"type":"reasoning","summary":[]})");
            }
        }
    }
    return splice.str();
}

// A stream on its way out: chunks of HTTP around what the encoder says.
struct Writer {
    net::ServerCall& call;
    dialect::StreamEncoder& encoder;
    std::string out{};
    std::string events{};

    void take(const llm::Event& event) { encoder.take(event, events); }
    void wrap() {
        if (!events.empty()) {
            out += fmt::format("{:x}\r\n{}\r\n", events.size(), events);
            events.clear();
        }
    }
    aio::Task<bool> flush() {
        wrap();
        if (out.empty()) {
            co_return true;
        }
        const std::string_view pieces[] = {out};
        const net::Io io = co_await call.write(pieces);
        out.clear();
        co_return io.is_ok();
    }
};

}  // namespace

aio::Task<bool> Simulator::begin(net::ServerCall& call, const Door& door, const Failure& failure) {
    ++stats_.calls;
    const bool has_slot = co_await take_slot();
    if (!has_slot) {
        co_await respond_error(call, door.dialect, 429, "The simulator's queue is full.");
        co_return false;
    }
    if (failure.reset) {
        ++stats_.aborted;
        free_slot();
        co_return false;  // unfinished: the server cuts the connection
    }
    if (failure.status != 0) {
        co_await respond_error(
            call, door.dialect, failure.status, "The simulator was told to fail.");
        free_slot();
        co_return false;
    }
    co_return true;
}

aio::Task<void> Simulator::generate(net::ServerCall& call, Door door) {
    const Failure failure = pick_failure(call.head().find("x-sim"));
    const bool as_array =
        door.stream && call.head().query.find("alt=sse") == std::string_view::npos;
    const dialect::ClientEdge& client = *dialect::client_edge(door.dialect);
    const auto body = co_await call.read_body(kBodyBytesMax);
    if (!body) {
        co_await respond_error(
            call, door.dialect, info(body.error().code()).status, body.error().message());
        co_return;
    }
    dialect::json::Scratch scratch;
    const dialect::RequestPath path{
        .surface = door.surface, .model = door.model, .stream = door.stream};
    auto request = client.read_request(path, *body, scratch);
    auto asked = request ? client.decode_request(*request, without_history(*body))
                         : Result<llm::Call>(std::unexpected(request.error()));
    if (!asked) {
        co_await respond_error(call, door.dialect, 400, asked.error().message());
        co_return;
    }
    for (const auto& [id, parameter, is_file] : request->provider_ids) {
        if (id.starts_with("resp_") && !kept_.contains(id)) {
            co_await respond_error(call, door.dialect, 400, "There is no such response: " + id);
            co_return;
        }
    }
    call.release_request();
    const bool goes_on = co_await begin(call, door, failure);
    if (!goes_on) {
        co_return;
    }
    const Slot slot(*this);
    const bool from_cache = meets_cache(text_of(*asked));
    auto made = compose(
        *asked, {.seed = options_.seed, .refuses = failure.refuses, .from_cache = from_cache});
    if (!made) {
        co_await respond_error(call, door.dialect, 400, made.error().message());
        co_return;
    }
    Play play{.door = std::move(door),
              .client = client,
              .request = std::move(*request),
              .made = std::move(*made),
              .failure = failure,
              .from_cache = from_cache,
              .id = fmt::format("sim-{}", ++next_id_),
              .terms = {}};
    play.terms = {.model = play.request.model,
                  .request_id = play.id,
                  .created = kCreated,
                  .include_usage = play.request.include_usage,
                  .as_json_array = as_array};
    keep(play);
    if (play.request.stream) {
        co_await stream(call, play);
    } else {
        co_await plain(call, play);
    }
}

void Simulator::keep(const Play& play) {
    constexpr std::size_t kKeptMax = 10'000;
    if (play.door.surface != llm::Surface::responses) {
        return;
    }
    if (kept_.size() >= kKeptMax) {
        kept_.clear();
    }
    std::string body = play.client.encode_answer(play.made.answer, play.terms);
    dialect::json::Document document;
    const auto root = document.parse(body, dialect::json::Duplicates::allowed);
    kept_[(*root)["id"].string_or("")] = std::move(body);
}

// GET, DELETE, and POST …/cancel, which comes too late for an answer that is whole.
aio::Task<void> Simulator::kept(net::ServerCall& call, std::string_view id) {
    const auto found = kept_.find(std::string(id.substr(0, id.find('/'))));
    if (found == kept_.end()) {
        co_await respond_error(
            call, llm::Dialect::openai_responses, 404, "There is no such response.");
        co_return;
    }
    if (call.head().method == net::Method::delete_) {
        std::string body =
            fmt::format(R"({{"id":"{}","object":"response","deleted":true}})", found->first);
        kept_.erase(found);
        co_await respond(call, 200, std::move(body));
        co_return;
    }
    std::string body = found->second;
    co_await respond(call, 200, std::move(body));
}

aio::Task<void> Simulator::count_tokens(net::ServerCall& call, Door door) {
    const dialect::ClientEdge& client = *dialect::client_edge(door.dialect);
    const auto body = co_await call.read_body(kBodyBytesMax);
    if (!body) {
        co_await respond_error(
            call, door.dialect, info(body.error().code()).status, body.error().message());
        co_return;
    }
    dialect::json::Scratch scratch;
    const auto request = client.read_request(
        {.surface = door.surface, .model = door.model, .stream = false}, *body, scratch);
    const auto asked = request ? client.decode_request(*request, *body)
                               : Result<llm::Call>(std::unexpected(request.error()));
    if (!asked) {
        co_await respond_error(call, door.dialect, 400, asked.error().message());
        co_return;
    }
    co_await respond(call, 200, client.encode_token_count(count_prompt_tokens(text_of(*asked))));
}

aio::Task<void> Simulator::plain(net::ServerCall& call, Play& play) {
    auto length = std::chrono::duration_cast<std::chrono::nanoseconds>(options_.first_token) /
                  (play.from_cache ? 10 : 1);
    for (std::int64_t i = 0; i < play.made.output_tokens; ++i) {
        length += token_pause();
    }
    const bool present = co_await pause(length + play.failure.stall);
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    std::string body;
    if (!play.failure.empty) {
        body = play.client.encode_answer(play.made.answer, play.terms);
    }
    if (play.failure.cut) {
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
    stats_.tokens += static_cast<std::uint64_t>(play.made.output_tokens);
    ++stats_.completed;
    co_await respond(call, 200, std::move(body));
}

aio::Task<void> Simulator::stream(net::ServerCall& call, Play& play) {
    const Failure& failure = play.failure;
    const auto encoder = play.client.encode_stream(play.terms);
    Writer writer{.call = call, .encoder = *encoder};
    const auto first = std::chrono::duration_cast<std::chrono::nanoseconds>(options_.first_token);
    bool present = co_await pause(first / (play.from_cache ? 10 : 1));
    writer.out = fmt::format(
        "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncache-control: no-cache\r\n"
        "transfer-encoding: chunked\r\n{}\r\n",
        play.terms.as_json_array ? "application/json" : "text/event-stream",
        call.keeps_alive() ? "" : "connection: close\r\n");
    if (failure.empty) {
        writer.out += "0\r\n\r\n";
        co_await writer.flush();
        call.finish();
        co_return;
    }
    const llm::Choice& choice = play.made.answer.choices.front();
    writer.take({.kind = Kind::start, .id = play.id, .model = play.request.model});
    const llm::Usage input{.input_tokens = play.made.answer.usage->input_tokens,
                           .cache_read_tokens = play.made.answer.usage->cache_read_tokens};
    writer.take({.kind = Kind::usage, .usage = &input});
    std::size_t sent = 0;  // tokens
    bool broken = false;
    for (std::uint32_t part = 0; present && part < choice.parts.size(); ++part) {
        writer.take(begin_of(choice.parts[part], part));
        for (const std::string& piece : play.made.pieces[part]) {
            if (sent++ == failure.after_tokens) {
                if (failure.stall.count() > 0) {
                    present = co_await writer.flush();
                    if (present) {
                        present = co_await pause(failure.stall);
                    }
                }
                if (failure.error_in_stream) {
                    encoder->fail(Error(Code::internal, "The simulator was told to fail."),
                                  writer.events);
                }
                broken = failure.cut || failure.error_in_stream;
                if (broken) {
                    co_await writer.flush();
                    present = false;
                }
            }
            if (!present) {
                break;
            }
            writer.take({.kind = Kind::delta,
                         .part = part,
                         .part_kind = kind_of(choice.parts[part]),
                         .text = piece});
            ++stats_.tokens;
            const auto rest = token_pause();
            if (rest.count() > 0 || writer.events.size() > kWriteBytes) {
                present = co_await writer.flush();
                if (present) {
                    present = co_await pause(rest);
                }
            }
        }
        if (const auto* thought = llm::as<llm::Reasoning>(choice.parts[part]);
            present && thought != nullptr && !thought->signature.text.empty()) {
            writer.take({.kind = Kind::signature,
                         .part = part,
                         .part_kind = llm::PartKind::reasoning,
                         .text = thought->signature.text,
                         .signature_of = thought->signature.of});
        }
        if (present) {
            writer.take(
                {.kind = Kind::part_end, .part = part, .part_kind = kind_of(choice.parts[part])});
        }
    }
    if (!present) {
        ++stats_.aborted;
        co_return;
    }
    writer.take({.kind = Kind::finish, .reason = choice.finish});
    writer.take({.kind = Kind::usage, .usage = &*play.made.answer.usage});
    writer.take({.kind = Kind::end});
    writer.wrap();
    writer.out += "0\r\n\r\n";
    ++stats_.completed;
    const bool left = !co_await writer.flush();
    if (left) {
        --stats_.completed;
        ++stats_.aborted;
        co_return;
    }
    call.finish();
}

}  // namespace weir::simulate
