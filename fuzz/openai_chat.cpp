// Chat bodies, both ways: what is accepted can be rewritten, and the result is accepted again.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "dialect/openai_chat/error.h"
#include "dialect/openai_chat/request.h"
#include "dialect/openai_chat/response.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weir::dialect;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    json::Scratch scratch;
    if (const auto request = openai_chat::read_chat(text, scratch)) {
        json::Splice splice(text);
        weir::dialect::rewrite(*request, "up\"stream", splice);
        const std::string rewritten = splice.str();
        const auto again = openai_chat::read_chat(rewritten, scratch);
        WEIR_ASSERT(again && again->model == "up\"stream");
        WEIR_ASSERT(!request->stream || again->include_usage);
    }
    static_cast<void>(openai_chat::read_embeddings(text, scratch));
    if (const auto answer = openai_chat::decode_answer(text, scratch)) {
        std::vector<openai_chat::Cut> cuts;
        for (std::size_t i = 0; i < answer->choices.size(); ++i) {
            if (answer->choices[i].content.is_set() && cuts.size() < 2) {
                cuts.push_back({i, "kept", weir::llm::FinishReason::content_filter});
            }
        }
        json::Splice splice(text);
        openai_chat::rewrite_answer(*answer, text, "alias", cuts, splice);
        WEIR_ASSERT(openai_chat::decode_answer(splice.str(), scratch));
    }
    static_cast<void>(openai_chat::decode_error({.status = 400, .body = text}));
    return 0;
}
