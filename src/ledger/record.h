// What the journal says about a call: that it was opened, before a provider is asked, and how it
// was settled, before the last byte goes to the client. Encoded by hand, versioned and bounded:
// what is read back may come from an older program and a crashed one. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "llm/names.h"
#include "llm/usage.h"
#include "store/usage.h"

namespace weir::ledger {

inline constexpr std::size_t kNameBytesMax = 128;  // models and providers; longer ones are cut
inline constexpr std::size_t kAttemptsMax = 8;
inline constexpr std::size_t kRecordBytesMax = 4096;

enum class Kind : std::uint16_t { opened = 1, settled = 2, kept = 3 };

// Names are views: they must live until the record is appended.
struct Opened {
    Uuid request_id;
    std::int64_t tenant_id = 0, key_id = 0;
    WallTime started_at{};
    llm::Surface surface = llm::Surface::chat;
    bool streamed = false;
    std::int64_t hold_input_tokens = 0, hold_output_tokens = 0;
    std::string_view model, provider;
};

struct SettledAttempt {
    std::string_view provider, model, code;
    std::int64_t status = 0;
    std::int64_t started_offset_us = 0, duration_us = 0;
    std::int64_t input_tokens = 0, output_tokens = 0;
    std::optional<std::int64_t> cost_nano_usd;
};

struct Settled {
    Uuid request_id;
    std::int64_t tenant_id = 0, key_id = 0;
    WallTime started_at{};
    llm::Surface surface = llm::Surface::chat;
    bool streamed = false;
    std::int64_t status = 0;
    llm::Usage usage;
    std::optional<std::int64_t> cost_nano_usd;
    std::int64_t hold_tokens = 0;
    std::optional<std::int64_t> ttft_us;
    std::int64_t total_us = 0, overhead_us = 0;
    std::string_view model, provider, code;
    std::array<SettledAttempt, kAttemptsMax> attempts;
    std::size_t attempt_count = 0;
};

// Something a provider keeps under an id that the client may send back: a stored response, an item
// of one.
struct Kept {
    std::int64_t tenant_id = 0;
    WallTime made_at{};
    std::string_view provider;
    std::string_view credential;  // the name of the provider's key that it was made with
    std::string_view id;          // at most kNameBytesMax
};

// Returns the bytes written, at most kRecordBytesMax, which `into` must have.
std::size_t encode(const Opened& record, std::span<char> into);
std::size_t encode(const Settled& record, std::span<char> into);

std::size_t encode(const Kept& record, std::span<char> into);

// Views refer to `bytes`. nullopt: not such a record (of this version, whole).
std::optional<Opened> decode_opened(std::string_view bytes);
std::optional<Settled> decode_settled(std::string_view bytes);
std::optional<Kept> decode_kept(std::string_view bytes);

store::KeptId to_row(const Kept& record);
store::Call to_row(const Settled& record);
// An opened call whose end was lost with the process: the provider may have worked, so the row
// stands with the input the hold was made for, marked as an estimate, without a cost.
store::Call to_interrupted_row(const Opened& record);

}  // namespace weir::ledger
