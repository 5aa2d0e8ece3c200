// usageMetadata, to and from the normal form (API-MAPPING 4.2). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dialect/json/document.h"
#include "dialect/json/writer.h"
#include "llm/usage.h"

namespace weir::dialect::gemini {

// Gemini's own counts, gathered by whoever reads them.
struct UsageCounts {
    std::optional<std::int64_t> prompt, tool_prompt, candidates, thoughts, total;
    std::int64_t cached = 0;
    std::int64_t audio_in = 0, audio_cached = 0, audio_out = 0, image_out = 0;
    std::optional<llm::ServiceTier> tier;

    // A field of usageMetadata that is a number. Others are ignored.
    void set(std::string_view key, std::int64_t count);
    // A count of one modality, of the list of usageMetadata that is called `list`.
    void set_detail(std::string_view list, std::string_view modality, std::int64_t count);
    // nullopt: nothing was counted (Vertex names the kind of traffic alone).
    std::optional<llm::Usage> normal() const;
};

std::optional<llm::Usage> decode_usage(json::Value metadata);
// The value of usageMetadata.
void encode_usage(const llm::Usage& usage, json::Writer& json);

}  // namespace weir::dialect::gemini
