// What several tests of this folder need: events as text, events as an answer, streams fed in
// pieces.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "dialect/openai_responses/edge.h"
#include "dialect/sse/decoder.h"
#include "llm/answer.h"

namespace weir::dialect::openai_responses {

// Puts a stream together again, and notes every event.
class Gatherer : public EventSink {
public:
    Result<void> take(const llm::Event& event) override {
        using Kind = llm::Event::Kind;
        log += fmt::format("{} {} {} '{}' '{}' '{}'\n",
                           static_cast<int>(event.kind),
                           event.part,
                           static_cast<int>(event.part_kind),
                           event.text,
                           event.id,
                           event.name);
        switch (event.kind) {
            case Kind::start:
                answer.id = event.id;
                answer.model = event.model;
                break;
            case Kind::part_begin:
                EXPECT_EQ(event.part, choice.parts.size());
                begin(event);
                break;
            case Kind::delta:
                say(choice.parts.at(event.part), event.text);
                break;
            case Kind::signature:
                sign(choice.parts.at(event.part), event);
                break;
            case Kind::citation:
                std::get<llm::Text>(choice.parts.at(event.part).body)
                    .citations.push_back(*event.citation);
                break;
            case Kind::part_end:
                ++ended;
                break;
            case Kind::finish:
                EXPECT_EQ(ended, choice.parts.size()) << log;
                choice.finish = event.reason;
                choice.finish_word = event.text;
                break;
            case Kind::usage:
                answer.usage = *event.usage;
                break;
            case Kind::end:
                answer.choices.push_back(choice);
                break;
        }
        return {};
    }

    llm::Answer answer;
    llm::Choice choice;
    std::string log;
    std::size_t ended = 0;

private:
    void begin(const llm::Event& event) {
        llm::Part part;
        switch (event.part_kind) {
            case llm::PartKind::text:
                part.body = llm::Text{};
                break;
            case llm::PartKind::refusal:
                part.body = llm::Refusal{};
                break;
            case llm::PartKind::reasoning:
                part.body = llm::Reasoning{.redacted = event.redacted,
                                           .is_summary = event.is_summary,
                                           .id = std::string(event.id)};
                break;
            case llm::PartKind::tool_call:
                part.body =
                    llm::ToolCall{.id = std::string(event.id), .name = std::string(event.name)};
                break;
            case llm::PartKind::media:
                part.body = llm::Media{.mime = std::string(event.mime)};
                break;
        }
        choice.parts.push_back(std::move(part));
    }
    static void say(llm::Part& part, std::string_view words) {
        if (auto* text = std::get_if<llm::Text>(&part.body)) {
            text->text += words;
        } else if (auto* refusal = std::get_if<llm::Refusal>(&part.body)) {
            refusal->text += words;
        } else if (auto* reasoning = std::get_if<llm::Reasoning>(&part.body)) {
            reasoning->text += words;
        } else if (auto* call = std::get_if<llm::ToolCall>(&part.body)) {
            call->arguments += words;
        } else if (auto* media = std::get_if<llm::Media>(&part.body)) {
            media->data += words;
        }
    }
    static void sign(llm::Part& part, const llm::Event& event) {
        std::get<llm::Reasoning>(part.body).signature = {.text = std::string(event.text),
                                                         .of = event.signature_of};
    }
};

// Feeds `bytes` in two pieces.
struct Decoded {
    Gatherer gatherer;
    Result<void> result;
    std::string outcome() const {
        return gatherer.log + (result ? "" : std::string(name(result.error().code())));
    }
};
inline Decoded decode_at(std::string_view bytes, std::size_t cut) {
    Decoded decoded;
    const auto decoder = provider.decode_stream(false);
    for (const auto piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
        decoded.result = decoder->feed(piece, decoded.gatherer);
        if (!decoded.result) {
            return decoded;
        }
    }
    decoded.result = decoder->end(decoded.gatherer);
    return decoded;
}

inline std::vector<sse::Event> events_of(std::string_view bytes) {
    std::vector<sse::Event> events;
    sse::Decoder decoder;
    decoder.feed(bytes);
    sse::Event event;
    while (decoder.next(event).value()) {
        if (event.kind == sse::Event::Kind::message) {
            events.push_back(event);
        }
    }
    return events;
}

// A provider's stream as a client of this dialect would get it through a translation.
class Reencoder : public EventSink {
public:
    explicit Reencoder(const AnswerTerms& terms) : encoder(client.encode_stream(terms)) {}
    Result<void> take(const llm::Event& event) override {
        encoder->take(event, out);
        return {};
    }
    std::unique_ptr<StreamEncoder> encoder;
    std::string out;
};

}  // namespace weir::dialect::openai_responses
