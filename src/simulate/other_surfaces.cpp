#include "simulate/other_surfaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "dialect/form/scanner.h"
#include "simulate/words.h"

namespace weir::simulate {
namespace {

using Json = nlohmann::ordered_json;
using llm::Operation;
using llm::Surface;

constexpr std::int64_t kCreated = 1'700'000'000;  // fixed, so that answers compare
constexpr std::string_view kPng =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg"
    "==";
constexpr std::int64_t kTokensPerImage = 100;
constexpr std::size_t kSpeechBytesPerCharacter = 100;
constexpr std::size_t kSpeechParts = 10;
constexpr double kFileBytesPerSecond = 1000;

// A request of either form: fields as text.
struct Fields {
    Json json = Json::object();
    std::string file;  // the first one's content

    std::string text(const char* name) const {
        const auto found = json.find(name);
        return found != json.end() && found->is_string() ? found->get<std::string>() : "";
    }
    bool is_on(const char* name) const {
        const auto found = json.find(name);
        return found != json.end() && (*found == true || *found == "true");
    }
    std::int64_t number(const char* name, std::int64_t otherwise) const {
        const auto found = json.find(name);
        if (found == json.end()) {
            return otherwise;
        }
        return found->is_number_integer() ? found->get<std::int64_t>()
               : found->is_string()       ? std::atoll(found->get<std::string>().c_str())
                                          : otherwise;
    }
};

std::string between(std::string_view text, std::string_view before, std::string_view after) {
    const std::size_t begin = text.find(before);
    if (begin == std::string_view::npos) {
        return {};
    }
    const std::size_t at = begin + before.size();
    return std::string(text.substr(at, text.find(after, at) - at));
}

Result<Fields> read_form(std::string_view content_type, std::string_view body) {
    WEIR_TRY(const std::string boundary, dialect::form::boundary_of(content_type));
    dialect::form::Scanner scanner(boundary);
    WEIR_TRY(scanner.feed(body));
    WEIR_TRY(scanner.end());
    Fields fields;
    const std::string delimiter = "\r\n--" + boundary;
    const std::string all = "\r\n" + std::string(body);
    for (std::size_t at = 0; at + delimiter.size() < all.size();) {
        const std::size_t begin = at + delimiter.size();
        const std::size_t end = std::min(all.find(delimiter, begin), all.size());
        const std::string_view part = std::string_view(all).substr(begin, end - begin);
        const std::size_t blank = part.find("\r\n\r\n");
        if (blank != std::string_view::npos) {
            const std::string_view head = part.substr(0, blank);
            const std::string_view content = part.substr(blank + 4);
            if (head.find("filename=") == std::string_view::npos) {
                fields.json[between(head, " name=\"", "\"")] = content;
            } else if (fields.file.empty()) {
                fields.file = content;
            }
        }
        at = end;
    }
    return fields;
}

Result<Fields> read_fields(std::string_view content_type, std::string_view body) {
    if (dialect::form::is_form(content_type)) {
        return read_form(content_type, body);
    }
    Fields fields{.json = Json::parse(body, nullptr, false), .file = {}};
    if (!fields.json.is_object()) {
        return fail(Code::invalid_json, "The body is not a JSON object.");
    }
    return fields;
}

void append_event(Reply& reply, const Json& data) {
    reply.type = "text/event-stream";
    reply.parts.push_back("data: " + data.dump() + "\n\n");
}

Json token_usage(std::int64_t input, std::int64_t output) {
    return {{"type", "tokens"},
            {"input_tokens", input},
            {"output_tokens", output},
            {"total_tokens", input + output}};
}

Reply moderate(const Fields& fields) {
    Json results = Json::array();
    const Json input = fields.json.value("input", Json());
    const auto judge = [&](const std::string& text) {
        const bool flagged = text.find("violence") != std::string::npos;
        results.push_back({{"flagged", flagged},
                           {"categories", {{"violence", flagged}}},
                           {"category_scores", {{"violence", flagged ? 0.9 : 0.1}}}});
    };
    if (input.is_array()) {
        for (const Json& one : input) {
            judge(one.dump());
        }
    } else {
        judge(input.dump());
    }
    return {
        .parts = {Json{
            {"id", "modr-sim"}, {"model", fields.text("model")}, {"results", std::move(results)}}
                      .dump()}};
}

Reply draw(const Fields& fields) {
    const std::int64_t count = std::clamp<std::int64_t>(fields.number("n", 1), 1, 10);
    const bool counts_tokens = fields.text("model").starts_with("gpt-image");
    Reply reply{.parts = {}, .tokens = counts_tokens ? count * kTokensPerImage : 0};
    const Json usage =
        token_usage(count_prompt_tokens(fields.text("prompt")), count * kTokensPerImage);
    if (fields.is_on("stream") && counts_tokens) {
        append_event(reply,
                     {{"type", "image_generation.partial_image"},
                      {"b64_json", kPng},
                      {"partial_image_index", 0}});
        append_event(
            reply, {{"type", "image_generation.completed"}, {"b64_json", kPng}, {"usage", usage}});
        return reply;
    }
    Json data = Json::array();
    for (std::int64_t i = 0; i < count; ++i) {
        data.push_back({{"b64_json", kPng}});
    }
    Json answer{{"created", kCreated}, {"data", std::move(data)}};
    if (counts_tokens) {
        answer["usage"] = usage;
    }
    reply.parts.push_back(answer.dump());
    return reply;
}

Reply speak(std::uint64_t seed, const Fields& fields) {
    const std::string text = fields.text("input");
    std::string sound = "ID3";
    for (std::uint64_t state = hash(seed, text);
         sound.size() < text.size() * kSpeechBytesPerCharacter;
         state = state * 6364136223846793005u + 1442695040888963407u) {
        sound += static_cast<char>(state >> 56);
    }
    Reply reply{.type = "audio/mpeg", .parts = {}, .tokens = 0};
    const bool as_events = fields.text("stream_format") == "sse";
    const std::size_t size = sound.size() / kSpeechParts + 1;
    for (std::size_t at = 0; at < sound.size(); at += size) {
        const std::string part = sound.substr(at, size);
        if (as_events) {
            append_event(
                reply,
                {{"type", "speech.audio.delta"}, {"audio", to_base64(part, Base64::standard)}});
        } else {
            reply.parts.push_back(part);
        }
    }
    if (as_events) {
        reply.tokens = static_cast<std::int64_t>(text.size());
        append_event(reply,
                     {{"type", "speech.audio.done"},
                      {"usage", token_usage(count_prompt_tokens(text), reply.tokens)}});
    }
    return reply;
}

Result<Reply> transcribe(std::uint64_t seed, const Fields& fields) {
    if (fields.file.empty()) {
        return fail(Code::invalid_request, "'file' must be a recording.").parameter("file");
    }
    const Words words = make_words(seed, fields.file, 0);
    const std::string text = fmt::format("{}", fmt::join(words.tokens, ""));
    const double seconds = static_cast<double>(fields.file.size()) / kFileBytesPerSecond;
    const auto spoken = static_cast<std::int64_t>(words.tokens.size());
    const bool counts_tokens = fields.text("model").starts_with("gpt");
    const Json usage = counts_tokens ? token_usage(static_cast<std::int64_t>(seconds * 10), spoken)
                                     : Json{{"type", "duration"}, {"seconds", seconds}};
    Reply reply{.parts = {}, .tokens = spoken};
    const std::string format = fields.text("response_format");
    if (fields.is_on("stream")) {
        for (const std::string& word : words.tokens) {
            append_event(reply, {{"type", "transcript.text.delta"}, {"delta", word}});
        }
        append_event(reply, {{"type", "transcript.text.done"}, {"text", text}, {"usage", usage}});
    } else if (format == "text" || format == "srt" || format == "vtt") {
        reply.type = "text/plain; charset=utf-8";
        reply.parts.push_back(text + "\n");
    } else if (format == "verbose_json") {
        reply.parts.push_back(Json{
            {"task", "transcribe"},
            {"language", "english"},
            {"duration", seconds},
            {"text", text},
            {"segments",
             Json::array()}}.dump());
    } else {
        reply.parts.push_back(Json{{"text", text}, {"usage", usage}}.dump());
    }
    return reply;
}

Reply rerank(const Fields& fields) {
    const std::string query = fields.text("query");
    std::vector<std::pair<double, std::size_t>> scored;
    const Json documents = fields.json.value("documents", Json::array());
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const Json& one = documents[i];
        const std::string text = one.is_string() ? one.get<std::string>() : one.value("text", "");
        const auto differs = std::mismatch(query.begin(), query.end(), text.begin(), text.end());
        const auto common = static_cast<double>(differs.first - query.begin());
        scored.emplace_back(common / static_cast<double>(query.size() + 1), i);
    }
    std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    const auto wanted = static_cast<std::size_t>(
        std::max<std::int64_t>(fields.number("top_n", std::int64_t{1} << 20), 0));
    Json results = Json::array();
    for (std::size_t i = 0; i < std::min(wanted, scored.size()); ++i) {
        results.push_back({{"index", scored[i].second}, {"relevance_score", scored[i].first}});
    }
    return {.parts = {Json{{"id", "rerank-sim"},
                           {"model", fields.text("model")},
                           {"results", std::move(results)},
                           {"meta", {{"billed_units", {{"search_units", 1}}}}}}
                          .dump()}};
}

Reply complete(std::uint64_t seed, const Fields& fields) {
    const Json prompt = fields.json.value("prompt", Json());
    const bool several = prompt.is_array() && !prompt.empty() && !prompt.front().is_number();
    const std::size_t count = several ? prompt.size() : 1;
    const bool streams = fields.is_on("stream");
    Reply reply{.type = streams ? "text/event-stream" : "application/json", .parts = {}};
    Json choices = Json::array();
    std::int64_t input = 0;
    const auto object = [&](Json list) {
        return Json{{"id", "cmpl-sim"},
                    {"object", "text_completion"},
                    {"created", kCreated},
                    {"model", fields.text("model")},
                    {"choices", std::move(list)}};
    };
    const auto choice = [](std::size_t index, const std::string& text, const Json& finish) {
        return Json{
            {"text", text}, {"index", index}, {"logprobs", nullptr}, {"finish_reason", finish}};
    };
    for (std::size_t i = 0; i < count; ++i) {
        const Json& one = several ? prompt[i] : prompt;
        const std::string text = one.is_string() ? one.get<std::string>() : one.dump();
        const Words words = make_words(seed, text, fields.number("max_tokens", 0));
        const std::string finish = words.cut_by_limit ? "length" : "stop";
        input += count_prompt_tokens(text);
        reply.tokens += static_cast<std::int64_t>(words.tokens.size());
        if (!streams) {
            choices.push_back(choice(i, fmt::format("{}", fmt::join(words.tokens, "")), finish));
            continue;
        }
        for (const std::string& word : words.tokens) {
            append_event(reply, object(Json::array({choice(i, word, nullptr)})));
        }
        append_event(reply, object(Json::array({choice(i, "", finish)})));
    }
    const Json usage{{"prompt_tokens", input},
                     {"completion_tokens", reply.tokens},
                     {"total_tokens", input + reply.tokens}};
    if (!streams) {
        Json answer = object(std::move(choices));
        answer["usage"] = usage;
        reply.parts.push_back(answer.dump());
        return reply;
    }
    if (fields.json.value("/stream_options/include_usage"_json_pointer, false)) {
        Json last = object(Json::array());
        last["usage"] = usage;
        append_event(reply, last);
    }
    reply.parts.push_back("data: [DONE]\n\n");
    return reply;
}

}  // namespace

bool has_reply(Surface surface) {
    return llm::passes_through(surface) || surface == Surface::completions;
}

Result<Reply> reply(std::uint64_t seed,
                    const Door& door,
                    std::string_view content_type,
                    std::string_view body) {
    WEIR_TRY(const Fields fields, read_fields(content_type, body));
    switch (door.operation) {
        case Operation::generation:
        case Operation::edit:
        case Operation::variation:
            return draw(fields);
        case Operation::speech:
            return speak(seed, fields);
        case Operation::transcription:
        case Operation::translation:
            return transcribe(seed, fields);
        case Operation::only:
            break;
    }
    return door.surface == Surface::moderations ? moderate(fields)
           : door.surface == Surface::rerank    ? rerank(fields)
                                                : complete(seed, fields);
}

}  // namespace weir::simulate
