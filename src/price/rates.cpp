#include "price/rates.h"

#include <limits>

namespace weir::price {

std::optional<Money> cost(const Rates& rates, const llm::Usage& usage) {
    using Wide = __int128;
    constexpr Wide kMillion = 1'000'000;
    const llm::Usage u = usage.clamped();
    const std::int64_t uncached = u.input_tokens - u.cache_read_tokens - u.cache_write_tokens;
    Wide sum = 0;  // nano-dollars times a million; 63 + 63 bits and a few additions fit
    const auto add = [&sum](std::int64_t tokens, Money per_million) {
        sum += static_cast<Wide>(tokens) * per_million.nano_usd();
    };
    add(uncached, rates.input);
    add(u.cache_read_tokens, rates.cache_read.value_or(rates.input));
    add(u.cache_write_tokens, rates.cache_write.value_or(rates.input));
    add(u.output_tokens, rates.output);
    const Wide nano = (sum + kMillion / 2) / kMillion;
    if (nano > std::numeric_limits<std::int64_t>::max()) {
        return std::nullopt;
    }
    return Money::from_nano_usd(static_cast<std::int64_t>(nano));
}

}  // namespace weir::price
