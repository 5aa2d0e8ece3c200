// What a call may use, estimated before it is made: from the size of its body, never by tokenising
// on the path of a call. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/money.h"

namespace weir::quota {

// English prose and code run at about four bytes a token, and the body carries JSON around the
// text, so three bytes a token is high by a third or more for ordinary calls; text in scripts of
// three bytes a character comes out near its count. It is a bias, not a bound: text made to be
// expensive reaches a token a byte. The provider's usage decides in the end, what exceeds the hold
// is an overrun.
inline constexpr std::int64_t kBytesPerToken = 3;

struct HoldEstimate {
    std::int64_t input_tokens = 0;
    std::int64_t output_tokens = 0;
    std::optional<Money> cost;  // nullopt: the model has no price
    std::int64_t tokens() const { return input_tokens + output_tokens; }
};

// Of the dearest candidate; per million tokens, as price lists have them, and once for the request.
struct HoldPrices {
    Money input_per_million;
    Money output_per_million;
    Money request = {};
};

// Sums of tokens are clamped here; no model comes near it, and no addition can overflow.
inline constexpr std::int64_t kTokensMax = 1'000'000'000'000;

// `output_tokens_max` is the request's max_tokens (times its choices) or the model's cap.
HoldEstimate estimate_tokens(std::uint64_t body_bytes, std::uint64_t output_tokens_max);

// The money for it, rounded up to a nano-dollar; nullopt on overflow.
std::optional<Money> estimate_cost(const HoldEstimate& tokens, const HoldPrices& prices);

}  // namespace weir::quota
