// The Responses, all of it: what is accepted can be written again and is accepted again; a stream
// is the same at every cut; what is read for passing never crashes.
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/assert.h"
#include "dialect/json/splice.h"
#include "dialect/openai_responses/edge.h"
#include "dialect/sse/decoder.h"

namespace {

using namespace weir;
using namespace weir::dialect;

class Log : public EventSink {
public:
    Result<void> take(const llm::Event& event) override {
        // Parts begin in order, say something only while they are open, and end once.
        using Kind = llm::Event::Kind;
        WEIR_ASSERT(!ended_);
        if (event.kind == Kind::part_begin) {
            WEIR_ASSERT(event.part == open_.size());
            open_.push_back(true);
        } else if (event.kind == Kind::delta || event.kind == Kind::part_end ||
                   event.kind == Kind::signature || event.kind == Kind::citation) {
            WEIR_ASSERT(event.part < open_.size() && open_[event.part]);
            open_[event.part] = event.kind != Kind::part_end;
        }
        ended_ = event.kind == Kind::end;
        log += fmt::format("{}{}{}{}{};",
                           static_cast<int>(event.kind),
                           event.part,
                           event.text,
                           event.id,
                           event.name);
        encoder_->take(event, written);
        return {};
    }
    std::string log, written;

private:
    std::unique_ptr<StreamEncoder> encoder_ =
        openai_responses::client.encode_stream({.request_id = "r"});
    std::vector<bool> open_;
    bool ended_ = false;
};

std::string decode(std::string_view bytes, std::size_t cut) {
    Log log;
    const auto decoder = openai_responses::provider.decode_stream(false);
    auto result = decoder->feed(bytes.substr(0, cut), log);
    if (result) {
        result = decoder->feed(bytes.substr(cut), log);
    }
    if (result) {
        result = decoder->end(log);
    }
    if (result && log.written.find("event: error") == std::string::npos) {
        // What Weir writes, Weir reads.
        Log again;
        const auto reader = openai_responses::provider.decode_stream(false);
        WEIR_ASSERT(reader->feed(log.written, again) && reader->end(again));
    }
    return log.log + (result ? "" : std::string(name(result.error().code())));
}

void fuzz_request(std::string_view text) {
    json::Scratch scratch;
    const auto request =
        openai_responses::client.read_request({.surface = llm::Surface::responses}, text, scratch);
    if (!request) {
        return;
    }
    json::Splice splice(text);
    rewrite(*request, "up\"stream", splice);
    const auto again = openai_responses::client.read_request(
        {.surface = llm::Surface::responses}, splice.str(), scratch);
    WEIR_ASSERT(again && again->model == "up\"stream");
    const auto call = openai_responses::client.decode_request(*request, text);
    if (!call) {
        return;
    }
    if (const auto encoded =
            openai_responses::provider.encode_request(*call, {.model = "up\"stream"})) {
        json::Scratch other;
        AnswerView view;
        WEIR_ASSERT(openai_responses::pass.read_answer(encoded->body, other, view));  // it is JSON
    }
}

void fuzz_passing(std::string_view text) {
    sse::Decoder decoder;
    decoder.feed(text);
    sse::Event event;
    json::Scratch scratch;
    AnswerView view;
    const auto reader = openai_responses::pass.read_stream({.request_id = "r"});
    std::string out;
    for (auto found = decoder.next(event); found && *found; found = decoder.next(event)) {
        if (event.kind != sse::Event::Kind::message || !reader->read(event, scratch, view)) {
            continue;
        }
        for (const auto& output : view.outputs) {
            if (output.text.is_set()) {
                reader->replace_text(output.index, "kept\"");
            }
            if (output.finish.is_set()) {
                reader->append_text(output.index, "held", out);
                reader->append_stop(output.index, llm::FinishReason::length, out);
            }
        }
    }
    reader->append_terminal({}, out);
    // What Weir says itself is whole JSON, whatever ids the provider gave.
    sse::Decoder written;
    written.feed(out);
    const auto checker = openai_responses::pass.read_stream({});
    for (auto found = written.next(event); found && *found; found = written.next(event)) {
        json::Scratch other;
        AnswerView own;
        if (event.name == "response.output_text.delta") {
            WEIR_ASSERT(checker->read(event, other, own));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz_request(text);
    if (const auto answer = openai_responses::provider.decode_answer(text)) {
        const std::string encoded =
            openai_responses::client.encode_answer(*answer, {.request_id = "r"});
        const auto again = openai_responses::provider.decode_answer(encoded);
        WEIR_ASSERT(again && again->choices[0].finish == answer->choices[0].finish);
    }
    static_cast<void>(openai_responses::provider.decode_error({.status = 500, .body = text}));
    const std::string whole = decode(text, size);
    for (const std::size_t cut : {size / 3, size / 2, size - size / 4}) {
        WEIR_ASSERT(decode(text, cut) == whole);
    }
    fuzz_passing(text);
    return 0;
}
