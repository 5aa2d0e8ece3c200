// Texts that repeat: the chunks of a stream differ in little but the words they bring. A text that
// is like one that was scanned, but for the contents of strings that are known to be there, is as
// valid as that one and means the same: it is compared, which takes a tenth of the time of scanning
// it. Exact: where anything else differs it says no. One per stream.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dialect/json/scanner.h"

namespace weir::dialect::json {

class Likeness {
public:
    // The words, and what OpenAI adds to hide how long they are.
    static constexpr std::size_t kStringsMax = 2;
    // What is remembered of a text for each stream; longer ones are scanned.
    static constexpr std::size_t kBytesMax = 1024;
    // Texts in a row that were alike in no way: such a stream is no longer remembered.
    static constexpr std::size_t kMissesMax = 8;

    // Remembers a valid text. `strings`: with their quotes, in the order of the text, at least one
    // and at most kStringsMax.
    void learn(std::string_view text, std::span<const Span> strings);

    // Whether `text` is the one remembered but for those strings, and they are valid; their places
    // go into `strings`, which has room for kStringsMax.
    bool matches(std::string_view text, std::span<Span> strings);

private:
    std::string fixed_;                              // all but what is between the quotes
    std::array<std::uint16_t, kStringsMax> cuts_{};  // where in it: behind each opening quote
    std::uint8_t count_ = 0;                         // 0: nothing is remembered
    std::uint8_t misses_ = 0;
};

}  // namespace weir::dialect::json
