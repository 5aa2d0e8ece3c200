// Gemini both ways: a request that decodes can be written again and is read as one; a stream gives
// the same events in one piece and in two; what a reader made of an answer can be written.
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "dialect/gemini/edge.h"
#include "dialect/gemini/embeddings.h"

namespace {

using namespace weir;
using namespace weir::dialect;

// Writes down what a stream says, and hands it to a client's encoder.
class Notes : public EventSink {
public:
    Result<void> take(const llm::Event& event) override {
        lines.push_back(fmt::format("{} {}.{} {} {} {} {} {} {}",
                                    static_cast<int>(event.kind),
                                    event.choice,
                                    event.part,
                                    static_cast<int>(event.part_kind),
                                    event.text,
                                    event.id,
                                    event.name,
                                    event.signature,
                                    static_cast<int>(event.reason)));
        encoder->take(event, out);
        return {};
    }
    std::vector<std::string> lines;
    std::string out;
    std::unique_ptr<StreamEncoder> encoder =
        gemini::client.encode_stream({.model = "m", .request_id = "r", .as_json_array = true});
};

std::vector<std::string> run(std::string_view bytes, std::size_t cut) {
    const auto decoder = gemini::provider.decode_stream(false);
    Notes notes;
    Result<void> taken{};
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        const std::string copy(part);
        if (taken) {
            taken = decoder->feed(copy, notes);
        }
    }
    if (taken) {
        taken = decoder->end(notes);
    }
    if (taken) {
        json::Scratch scratch;
        AnswerView view;
        const std::string wrapped = "{\"all\":" + notes.out + "}";
        WEIR_ASSERT(gemini::pass.read_answer(wrapped, scratch, view));  // it is JSON
    }
    notes.lines.push_back(taken ? "whole" : "failed");
    return notes.lines;
}

void fuzz_request(std::string_view body) {
    json::Scratch scratch;
    for (const auto surface : {llm::Surface::generate, llm::Surface::count_tokens}) {
        const auto request =
            gemini::client.read_request({.surface = surface, .model = "m"}, body, scratch);
        if (!request) {
            continue;
        }
        const auto call = gemini::client.decode_request(*request, body);
        if (!call) {
            continue;
        }
        for (const std::string_view model : {"gemini-3-pro", "gemini-2.5-flash"}) {
            const auto again =
                gemini::provider.encode_request(*call, {.model = model, .provider = "p"});
            if (again) {
                // Deeper by what it is wrapped in: the one thing that may be too much.
                const auto read = gemini::client.read_request(
                    {.surface = llm::Surface::generate, .model = "m"}, again->body, scratch);
                WEIR_ASSERT(read || read.error().code() == Code::invalid_json ||
                            read.error().parameter().starts_with("generationConfig"));
            }
        }
    }
}

void fuzz_answer(std::string_view body) {
    json::Scratch scratch;
    AnswerView view;
    static_cast<void>(gemini::pass.read_answer(body, scratch, view));
    if (const auto answer = gemini::provider.decode_answer(body)) {
        const std::string again =
            gemini::client.encode_answer(*answer, {.model = "m", .request_id = "r"});
        WEIR_ASSERT(gemini::pass.read_answer(again, scratch, view));
    }
    static_cast<void>(gemini::decode_embeddings(body, "m", 1));
    static_cast<void>(gemini::encode_embeddings(body, {.model = "m", .provider = "p"}));
    static_cast<void>(gemini::provider.decode_error({.status = 400, .body = body}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::size_t cut_at = data[0] | data[1] << 8;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    fuzz_request(bytes);
    fuzz_answer(bytes);
    WEIR_ASSERT(run(bytes, bytes.size()) == run(bytes, cut_at % (bytes.size() + 1)));
    return 0;
}
