#include "quota/estimate.h"

#include <algorithm>
#include <limits>

namespace weir::quota {

HoldEstimate estimate_tokens(std::uint64_t body_bytes, std::uint64_t output_tokens_max) {
    constexpr auto kMax = static_cast<std::uint64_t>(kTokensMax);
    constexpr auto kBytes = static_cast<std::uint64_t>(kBytesPerToken);
    const std::uint64_t input = body_bytes / kBytes + (body_bytes % kBytes == 0 ? 0 : 1);
    return HoldEstimate{
        .input_tokens = static_cast<std::int64_t>(std::min(input, kMax)),
        .output_tokens = static_cast<std::int64_t>(std::min(output_tokens_max, kMax)),
    };
}

std::optional<Money> estimate_cost(const HoldEstimate& tokens, const HoldPrices& prices) {
    if (tokens.input_tokens < 0 || tokens.output_tokens < 0 ||
        prices.input_per_million < Money::zero() || prices.output_per_million < Money::zero() ||
        prices.request < Money::zero()) {
        return std::nullopt;
    }
    constexpr __int128 kMillion = 1'000'000;
    const __int128 sum =
        static_cast<__int128>(tokens.input_tokens) * prices.input_per_million.nano_usd() +
        static_cast<__int128>(tokens.output_tokens) * prices.output_per_million.nano_usd();
    const __int128 nano_usd = (sum + kMillion - 1) / kMillion + prices.request.nano_usd();
    if (nano_usd > std::numeric_limits<std::int64_t>::max()) {
        return std::nullopt;
    }
    return Money::from_nano_usd(static_cast<std::int64_t>(nano_usd));
}

}  // namespace weir::quota
