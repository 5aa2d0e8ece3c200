// Chat bodies, both ways: what is accepted can be rewritten, and the result is accepted again.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "dialect/openai_chat/edge.h"
#include "dialect/openai_chat/error.h"
#include "dialect/openai_chat/request.h"
#include "dialect/rewrite.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weir::dialect;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    json::Scratch scratch;
    if (const auto request = openai_chat::read_request({}, text, scratch)) {
        json::Splice splice(text);
        weir::dialect::rewrite(*request, "up\"stream", splice);
        const std::string rewritten = splice.str();
        const auto again = openai_chat::read_request({}, rewritten, scratch);
        WEIR_ASSERT(again && again->model == "up\"stream");
        WEIR_ASSERT(!request->stream || again->include_usage);
    }
    static_cast<void>(
        openai_chat::read_request({.surface = weir::llm::Surface::embeddings}, text, scratch));
    AnswerView answer;
    if (openai_chat::pass.read_answer(text, scratch, answer)) {
        std::vector<Cut> cuts;
        for (std::size_t i = 0; i < answer.outputs.size(); ++i) {
            if (answer.outputs[i].text.is_set() && cuts.size() < 2) {
                cuts.push_back({i, "kept", "content_filter"});
            }
        }
        json::Splice splice(text);
        rewrite_answer(answer, "alias", cuts, splice);
        AnswerView again;
        WEIR_ASSERT(openai_chat::pass.read_answer(splice.str(), scratch, again));
    }
    static_cast<void>(openai_chat::decode_error({.status = 400, .body = text}));
    return 0;
}
