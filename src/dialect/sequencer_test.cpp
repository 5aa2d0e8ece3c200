#include "dialect/sequencer.h"

#include <gtest/gtest.h>

namespace weir::dialect {
namespace {

using Kind = llm::Event::Kind;

struct Recorder : EventSink {
    std::string said;
    Result<void> take(const llm::Event& event) override {
        switch (event.kind) {
            case Kind::part_begin:
                said += fmt::format("[{}{} ", event.part, event.name);
                break;
            case Kind::delta:
                said += fmt::format("{}:{} ", event.part, event.text);
                break;
            case Kind::part_end:
                said += fmt::format("{}] ", event.part);
                break;
            case Kind::finish:
                said += "finish";
                break;
            default:
                break;
        }
        return {};
    }
};

llm::Event begin(std::uint32_t part, std::string_view name) {
    return {.kind = Kind::part_begin, .part = part, .name = name};
}
llm::Event delta(std::uint32_t part, std::string_view text) {
    return {.kind = Kind::delta, .part = part, .text = text};
}
llm::Event end(std::uint32_t part) { return {.kind = Kind::part_end, .part = part}; }

TEST(Sequencer, PutsPartsThatLieSideBySideInOrder) {
    Sequencer sequencer;
    Recorder sink;
    for (const auto& event : {begin(0, "a"),
                              delta(0, "1"),
                              begin(1, "b"),
                              delta(1, "x"),
                              begin(2, "c"),
                              delta(0, "2"),
                              delta(2, "y"),
                              delta(1, "z"),
                              end(2),
                              end(0),
                              delta(1, "w")}) {
        ASSERT_TRUE(sequencer.take(event, sink));
    }
    EXPECT_EQ(sink.said, "[0a 0:1 0:2 0] [1b 1:x 1:z 1:w ");
    ASSERT_TRUE(sequencer.take({.kind = Kind::finish}, sink));
    EXPECT_EQ(sink.said, "[0a 0:1 0:2 0] [1b 1:x 1:z 1:w 1] [2c 2:y 2] finish");
}

TEST(Sequencer, EndsWhatTheProviderLeftOpen) {
    Sequencer sequencer;
    Recorder sink;
    ASSERT_TRUE(sequencer.take(begin(0, "a"), sink));
    ASSERT_TRUE(sequencer.take({.kind = Kind::finish}, sink));
    EXPECT_EQ(sink.said, "[0a 0] finish");
}

TEST(Sequencer, RefusesToHoldTooMuch) {
    Sequencer sequencer;
    Recorder sink;
    const std::string much(kSequencedBytesMax / 4, 'x');
    ASSERT_TRUE(sequencer.take(begin(0, ""), sink));
    ASSERT_TRUE(sequencer.take(begin(1, ""), sink));
    Result<void> last{};
    int taken = 0;
    for (; taken < 5 && last; ++taken) {
        last = sequencer.take(delta(1, much), sink);
    }
    EXPECT_EQ(taken, 4);
    EXPECT_EQ(last.error().code(), Code::upstream_invalid_response);
}

}  // namespace
}  // namespace weir::dialect
