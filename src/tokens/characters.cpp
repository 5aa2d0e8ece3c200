#include "tokens/characters.h"

namespace weir::tokens {
namespace {

enum class RunKind : std::uint8_t {
    other,
    space,
    newline,
    upper,
    lower,
    letter,
    mark,
    number,
    cased_pairs,
};
static_assert(static_cast<int>(RunKind::number) == static_cast<int>(CharKind::number));

struct Run {
    std::uint32_t first;
    RunKind kind;
};

using enum RunKind;
constexpr Run kRuns[] = {
#include "tokens/unicode_runs.inc"
};

CharKind kind_in(const Run& run, std::uint32_t code_point) {
    if (run.kind == cased_pairs) {
        return (code_point - run.first) % 2 == 0 ? CharKind::upper : CharKind::lower;
    }
    return static_cast<CharKind>(run.kind);
}

}  // namespace

const CharacterTable& CharacterTable::instance() {
    // Never destroyed: a thread may still count while the process ends.
    static const auto& table = *new CharacterTable;
    return table;
}

CharacterTable::CharacterTable() {
    const Run* run = kRuns;
    for (std::uint32_t c = 0; c < kFlatEnd; ++c) {
        if (run + 1 != std::end(kRuns) && run[1].first == c) {
            ++run;
        }
        const auto kind = static_cast<unsigned>(kind_in(*run, c));
        two_each_[c / 2] = static_cast<std::uint8_t>(two_each_[c / 2] | kind << (c % 2 * 4));
    }
}

CharKind CharacterTable::sparse(std::uint32_t code_point) {
    const Run* after = std::upper_bound(
        std::begin(kRuns), std::end(kRuns), code_point, [](std::uint32_t c, const Run& run) {
            return c < run.first;
        });
    return kind_in(after[-1], code_point);
}

}  // namespace weir::tokens
