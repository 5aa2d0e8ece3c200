// The `guardrails:` section of the configuration. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/snapshot.h"

namespace weir::guardrail {

inline constexpr std::size_t kBannedWordsMax = 10'000;
inline constexpr std::size_t kBannedWordBytesMax = 256;

struct OutputSection {
    std::optional<std::int64_t> max_length;  // code points
    std::vector<std::string> banned_words;
};

struct GuardrailsSection {
    OutputSection output;
};

config::Section guardrails_section();

}  // namespace weir::guardrail
