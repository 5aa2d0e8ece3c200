// Requests, answers and streams of Anthropic's. What is read can be written again and reads the
// same; a stream cut in two is the stream in one, and so is it byte by byte.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/transcript.h"
#include "dialect/check.h"

namespace {

using namespace weir::dialect;

std::string byte_by_byte(std::string_view bytes) {
    anthropic::Transcript sink;
    const auto decoder = anthropic::decode_stream(false);
    weir::Result<void> taken{};
    for (std::size_t i = 0; taken && i < bytes.size(); ++i) {
        taken = decoder->feed(bytes.substr(i, 1), sink);
    }
    if (taken) {
        taken = decoder->end(sink);
    }
    return taken ? sink.said
                 : fmt::format("{}failed {} {}\n",
                               sink.said,
                               name(taken.error().code()),
                               taken.error().detail());
}

void read_request(std::string_view text) {
    json::Scratch scratch;
    const auto request =
        anthropic::read_request({.surface = weir::llm::Surface::messages}, text, scratch);
    if (!request) {
        return;
    }
    const auto call = anthropic::decode_request(*request, text);
    if (!call || !check(*call)) {
        return;
    }
    for (const std::string_view model : {"claude-3-5-haiku-20241022", "claude-opus-4-8", "x"}) {
        if (const auto sent = anthropic::encode_request(*call, {.model = model})) {
            const auto again = anthropic::read_request(
                {.surface = weir::llm::Surface::messages}, sent->body, scratch);
            WEIR_ASSERT(again && again->model == model);
            WEIR_ASSERT(anthropic::decode_request(*again, sent->body));
        }
    }
}

void read_answer(std::string_view text) {
    json::Scratch scratch;
    AnswerView view;
    static_cast<void>(anthropic::read_answer(text, scratch, view));
    if (const auto answer = anthropic::decode_answer(text)) {
        const AnswerTerms terms{.model = answer->model, .request_id = "r"};
        const std::string written = anthropic::encode_answer(*answer, terms);
        WEIR_ASSERT(anthropic::read_answer(written, scratch, view));
    }
    static_cast<void>(anthropic::decode_error({.status = 400, .body = text}));
}

// What the encoder makes of a stream is a stream.
struct Through : EventSink {
    std::unique_ptr<StreamEncoder> encoder = anthropic::encode_stream({.request_id = "r"});
    std::string out;
    weir::Result<void> take(const weir::llm::Event& event) override {
        encoder->take(event, out);
        return {};
    }
};

void read_stream(std::string_view text) {
    const std::string whole = anthropic::transcribe(text);
    WEIR_ASSERT(anthropic::transcribe(text, text.size() / 2) == whole);
    WEIR_ASSERT(byte_by_byte(text) == whole);
    Through through;
    const auto decoder = anthropic::decode_stream(false);
    if (decoder->feed(text, through) && decoder->end(through)) {
        WEIR_ASSERT(anthropic::transcribe(through.out).ends_with("end of stream\n"));
    }
    const auto reader = anthropic::read_stream({});
    json::Scratch scratch;
    AnswerView view;
    sse::Decoder events;
    sse::Event event;
    events.feed(text);
    for (auto found = events.next(event); found && *found; found = events.next(event)) {
        if (event.kind == sse::Event::Kind::message) {
            static_cast<void>(reader->read(event, scratch, view));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    read_request(text);
    read_answer(text);
    read_stream(text);
    return 0;
}
