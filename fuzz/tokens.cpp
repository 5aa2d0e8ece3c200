// Counting tokens: the pieces of a text are the text, a merge by heap or scan is that of the plain
// rule, and what is no UTF-8 counts as what it is replaced by.
//
// Input: one byte for the encoding, the text.
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "tokens/count.h"
#include "tokens/merge.h"
#include "tokens/split.h"
#include "tokens/utf8.h"
#include "tokens/vocabulary.h"

namespace {

using namespace weir::tokens;

// The plain rule looks at all pairs for every merge. Long enough for the heap.
constexpr std::size_t kTextBytesMax = 160;

std::int64_t plain_rule(const Vocabulary& vocabulary, std::string_view piece) {
    if (vocabulary.rank(piece) != Vocabulary::kNoRank) {
        return 1;
    }
    std::vector<std::string> parts;
    for (const char byte : piece) {
        parts.emplace_back(1, byte);
    }
    for (;;) {
        std::size_t lowest = 0;
        std::uint32_t rank = Vocabulary::kNoRank;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const std::uint32_t joined = vocabulary.rank(parts[i] + parts[i + 1]);
            if (joined < rank) {
                rank = joined;
                lowest = i;
            }
        }
        if (rank == Vocabulary::kNoRank) {
            return static_cast<std::int64_t>(parts.size());
        }
        parts[lowest] += parts[lowest + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(lowest) + 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const Encoding encoding = data[0] % 2 == 0 ? Encoding::cl100k : Encoding::o200k;
    const Vocabulary& vocabulary = Vocabulary::of(encoding);
    // A copy of its own size: reading past it is seen.
    const std::vector<char> bytes(data + 1, data + std::min(size, kTextBytesMax));
    const std::string_view input(bytes.data(), bytes.size());

    std::string repaired;
    const std::string text(valid_utf8(input, repaired));
    std::string unused;
    WEIR_ASSERT(valid_utf8(text, unused).data() == text.data());

    Splitter splitter(encoding, text);
    Merger merger(vocabulary);
    std::string joined;
    std::int64_t total = 0;
    for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) {
        const std::int64_t tokens = merger.count(piece);
        WEIR_ASSERT(tokens == plain_rule(vocabulary, piece));
        joined += piece;
        total += tokens;
    }
    WEIR_ASSERT(joined == text);
    WEIR_ASSERT(count(encoding, input) == total && count(encoding, text) == total);
    // Pieces end at letters and spaces: whole texts as one piece are what reaches the heap.
    if (!text.empty()) {
        WEIR_ASSERT(merger.count(text) == plain_rule(vocabulary, text));
    }
    return 0;
}
