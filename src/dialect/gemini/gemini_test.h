// What the tests of this folder share: events and JSON as texts that can be compared.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dialect/gemini/codec.h"
#include "dialect/gemini/edge.h"

namespace weir::dialect::gemini {

using Json = nlohmann::json;

inline std::string usage_text(const llm::Usage& u) {
    return fmt::format(
        "in {} (cached {}, audio {}) out {} (thought {}, audio {}, image {}) "
        "searches {}",
        u.input_tokens,
        u.cache_read_tokens,
        u.input_audio_tokens,
        u.output_tokens,
        u.reasoning_tokens,
        u.output_audio_tokens,
        u.output_image_tokens,
        u.searches);
}

// Writes down what it is told.
class Notes : public EventSink {
public:
    Result<void> take(const llm::Event& e) override {
        using Kind = llm::Event::Kind;
        static constexpr const char* kParts[] = {"text", "refusal", "reasoning", "call", "media"};
        const std::string at = fmt::format("{}.{}", e.choice, e.part);
        switch (e.kind) {
            case Kind::start:
                lines.push_back(fmt::format("start {} {}", e.id, e.model));
                break;
            case Kind::part_begin:
                lines.push_back(
                    fmt::format("begin {} {}{}{}{}{}",
                                at,
                                kParts[static_cast<int>(e.part_kind)],
                                e.id.empty() ? "" : " id=" + std::string(e.id),
                                e.name.empty() ? "" : " name=" + std::string(e.name),
                                e.mime.empty() ? "" : " mime=" + std::string(e.mime),
                                e.signature.empty() ? "" : " sig=" + std::string(e.signature)));
                break;
            case Kind::delta:
                lines.push_back(fmt::format("delta {} {}", at, e.text));
                break;
            case Kind::signature:
                lines.push_back(fmt::format("sign {} {}", at, e.text));
                break;
            case Kind::citation:
                lines.push_back(
                    fmt::format("cite {} {} {}", at, e.citation->url, e.citation->cited_text));
                break;
            case Kind::part_end:
                lines.push_back("end " + at);
                break;
            case Kind::finish:
                lines.push_back(
                    fmt::format("finish {} {} {}",
                                e.choice,
                                e.reason == llm::FinishReason::none ? "none" : name(e.reason),
                                e.text));
                break;
            case Kind::usage:
                lines.push_back("usage " + usage_text(*e.usage));
                break;
            case Kind::end:
                lines.push_back("end of stream");
                break;
        }
        return {};
    }
    std::vector<std::string> lines;
};

// The events of a stream that comes in two pieces; an error is the last line.
inline std::vector<std::string> events_of(std::string_view bytes, std::size_t cut = 0) {
    const auto decoder = provider.decode_stream(false);
    Notes notes;
    Result<void> taken{};
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        const std::string copy(part);  // what lies behind the piece is not to be read
        if (taken) {
            taken = decoder->feed(copy, notes);
        }
    }
    if (taken) {
        taken = decoder->end(notes);
    }
    if (!taken) {
        notes.lines.push_back(
            fmt::format("error {} {}", name(taken.error().code()), taken.error().detail()));
    }
    return notes.lines;
}

inline Result<llm::Call> decoded(const std::string& body,
                                 llm::Surface surface = llm::Surface::generate) {
    json::Scratch scratch;
    WEIR_TRY(
        const Request request,
        client.read_request({.surface = surface, .model = "gem", .stream = false}, body, scratch));
    return client.decode_request(request, body);
}

inline Json encoded(const llm::Call& call, std::string_view model = "gemini-2.5-flash") {
    const auto request = provider.encode_request(call, {.model = model, .provider = "g"});
    return request
               ? Json::parse(request->body)
               : Json("error " + request.error().parameter() + ": " + request.error().message());
}

inline llm::Part text_part(std::string text) {
    return {.body = llm::Text{.text = std::move(text)}};
}
inline llm::Part call_part(std::string id, std::string name, std::string arguments) {
    return {.body = llm::ToolCall{
                .id = std::move(id), .name = std::move(name), .arguments = std::move(arguments)}};
}
inline llm::Part result_part(std::string id, std::string text, bool is_error = false) {
    return {.body = llm::ToolResult{.call_id = std::move(id),
                                    .content = {text_part(std::move(text))},
                                    .is_error = is_error}};
}

}  // namespace weir::dialect::gemini
