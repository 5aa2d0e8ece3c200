// The vocabulary of a call that every layer shares: which surface, why it stopped. Values only.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::llm {

// Where a call came in. The name is a metric label and a ledger column.
enum class Surface : std::uint8_t { chat, embeddings };
std::string_view name(Surface surface);

// Why the model stopped, in the normal form of API-MAPPING 4.1. `other` is one we do not know: it
// passes on as it came.
enum class FinishReason : std::uint8_t { none, stop, length, tool_calls, content_filter, other };
std::string_view name(FinishReason reason);

}  // namespace weir::llm
