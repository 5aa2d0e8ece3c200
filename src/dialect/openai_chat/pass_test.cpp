// Chunks that are like the last one are not scanned: whatever comes, a reader that has seen chunks
// must say of the next what one says that has seen none.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "dialect/openai_chat/codec.h"

namespace weir::dialect::openai_chat {
namespace {

struct Reading {
    std::unique_ptr<StreamReader> reader = read_stream({});
    json::Scratch scratch{};
    AnswerView view{};

    bool read(std::string_view data) {
        return reader->read({.data = data}, scratch, view).has_value();
    }
};

std::string said(std::string_view data, const AnswerView& view) {
    std::string text = fmt::format("model {} error {} finished {} terminal {} usage {}",
                                   view.model.in(data),
                                   view.error.in(data),
                                   view.finished,
                                   view.is_terminal,
                                   view.usage ? view.usage->output_tokens : -1);
    for (const auto& output : view.outputs) {
        text += fmt::format("; {} at {} {} {} {} {}",
                            output.index,
                            output.text.at,
                            output.text.in(data),
                            output.finish.in(data),
                            output.logprobs.in(data),
                            output.has_other);
    }
    return text;
}

void expect_the_same(Reading& seasoned, std::string_view data) {
    Reading fresh;
    const bool good = fresh.read(data);
    ASSERT_EQ(seasoned.read(data), good) << data;
    if (good) {
        EXPECT_EQ(said(data, seasoned.view), said(data, fresh.view)) << data;
    }
}

std::string chunk(std::string_view delta,
                  std::string_view behind = "",
                  std::string_view index = "0",
                  std::string_view finish = "null") {
    return fmt::format(
        R"({{"id":"chatcmpl-1","object":"chat.completion.chunk","created":17,"model":"up",)"
        R"("choices":[{{"index":{},"delta":{{{}}},"logprobs":null,"finish_reason":{}}}]{}}})",
        index,
        delta,
        finish,
        behind);
}

TEST(ChatPass, ChunksReadAloneAndAfterOthersSayTheSame) {
    const std::string chunks[] = {
        chunk(R"("role":"assistant","content":"")"),
        chunk(R"("content":"one")"),
        chunk(R"("content":" two \"quoted\" é")"),
        chunk(R"("content":"")"),
        chunk(R"("content":"three")", R"(,"obfuscation":"aX2")"),
        chunk(R"("content":"four")", R"(,"obfuscation":"")"),
        chunk(R"("content":"five")", R"(,"obfuscation":"bcdefgh")"),
        chunk(R"("content":"six")", R"(,"usage":null)"),
        chunk(R"("content":"seven")", R"(,"usage":{"prompt_tokens":1,"completion_tokens":2})"),
        chunk(R"("content":"eight")", R"(,"usage":{"prompt_tokens":1,"completion_tokens":3})"),
        chunk(R"("content":"nine")", "", "1"),
        chunk(R"("content":"ten")", "", "0"),
        chunk(R"("content":null,"reasoning_content":"hm")"),
        chunk(R"("content":null,"reasoning_content":"hm, hm")"),
        chunk(R"("content":"x","refusal":"no")"),
        chunk(R"("content":"x","refusal":"no!")"),
        chunk(R"("tool_calls":[{"index":0,"function":{"arguments":"{}"}}])"),
        chunk(R"("content":"","content":"twice")"),
        chunk(R"("content":"","content":"twice again")"),
        R"({"id":"a","created":1,"choices":[{"delta":{"content":"model last"}}],"model":"up"})",
        R"({"id":"a","created":1,"choices":[{"delta":{"content":"model last!"}}],"model":"up"})",
        R"({"obfuscation":"q","id":"a","model":"m","choices":[{"delta":{"content":"first"}}]})",
        R"({"obfuscation":"qq","id":"a","model":"m","choices":[{"delta":{"content":"firs"}}]})",
        R"({"id":"a","model":"m","choices":[{"index":0,"text":"legacy","finish_reason":null}]})",
        R"({"id":"a","model":"m","choices":[{"index":0,"text":"again","finish_reason":null}]})",
        chunk("", "", "0", R"("stop")"),
        chunk(R"("content":"bad \x")"),
        "[DONE]",
    };
    for (const std::string& before : chunks) {
        for (const std::string& then : chunks) {
            for (const std::string& last : chunks) {
                Reading seasoned;
                seasoned.read(before);
                seasoned.read(then);
                expect_the_same(seasoned, last);
            }
        }
    }
}

TEST(ChatPass, DamagedChunksAreReadAsIfTheyCameAlone) {
    Random random(3);
    const std::string first = chunk(R"("content":"one")", R"(,"obfuscation":"aX2")");
    const std::string_view pieces[] = {
        "\"", "\\", "\n", "\xff", "é", "{", "}", "[", "]", ",", ":", "0", "null", "\\u00e9", "a"};
    for (int round = 0; round < 20'000; ++round) {
        Reading seasoned;
        seasoned.read(first);
        std::string next = chunk(R"("content":"words \n of it")", R"(,"obfuscation":"b")");
        for (std::size_t i = 1 + random.below(2); i > 0; --i) {
            next.replace(random.below(next.size()),
                         random.below(3),
                         pieces[random.below(std::size(pieces))]);
        }
        expect_the_same(seasoned, next);
    }
}

}  // namespace
}  // namespace weir::dialect::openai_chat
