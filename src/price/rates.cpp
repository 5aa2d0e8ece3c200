#include "price/rates.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace weir::price {
namespace {

using Wide = __int128;
using Part = std::optional<Money> TokenRates::*;

constexpr Wide kMillion = 1'000'000;
constexpr Wide kMillisecondsPerMinute = 60'000;
// The sum of a call is kept in nano-dollars times this: the least that tokens per million and
// milliseconds per minute both divide, so that nothing is rounded before the end.
constexpr Wide kScale = 3 * kMillion;
constexpr std::int64_t kNanoMax = std::numeric_limits<std::int64_t>::max();

constexpr Part kOptionalParts[] = {&TokenRates::cache_read,
                                   &TokenRates::cache_write,
                                   &TokenRates::cache_write_1h,
                                   &TokenRates::input_audio,
                                   &TokenRates::output_audio,
                                   &TokenRates::output_image,
                                   &TokenRates::reasoning};

// Every part with a rate: the fallbacks of the header, applied.
struct Parts {
    Money input, cache_read, cache_write, cache_write_1h, input_audio;
    Money output, reasoning, output_audio, output_image;
};

// `rate` times `to` by `from` where that is more.
Money raised(Money rate, Money from, Money to) {
    if (to <= from || from <= Money::zero()) {
        return rate;
    }
    const Wide nano = (static_cast<Wide>(rate.nano_usd()) * to.nano_usd() + from.nano_usd() / 2) /
                      from.nano_usd();
    return Money::from_nano_usd(static_cast<std::int64_t>(std::min<Wide>(nano, kNanoMax)));
}

Parts parts_of(const TokenRates& chosen, const TokenRates& standard) {
    const auto rate = [&](Part part, Money TokenRates::* whole, Money otherwise) {
        if (chosen.*part) {
            return *(chosen.*part);
        }
        return standard.*part ? raised(*(standard.*part), standard.*whole, chosen.*whole)
                              : otherwise;
    };
    const auto input = [&](Part part, Money otherwise) {
        return rate(part, &TokenRates::input, otherwise);
    };
    const auto output = [&](Part part) { return rate(part, &TokenRates::output, chosen.output); };
    const Money cache_write = input(&TokenRates::cache_write, chosen.input);
    return {.input = chosen.input,
            .cache_read = input(&TokenRates::cache_read, chosen.input),
            .cache_write = cache_write,
            .cache_write_1h = input(&TokenRates::cache_write_1h, cache_write),
            .input_audio = input(&TokenRates::input_audio, chosen.input),
            .output = chosen.output,
            .reasoning = output(&TokenRates::reasoning),
            .output_audio = output(&TokenRates::output_audio),
            .output_image = output(&TokenRates::output_image)};
}

// Adds up what is counted, with every operation checked.
class Sum {
public:
    // `count` of what costs `rate` per `per`, a divisor of kScale.
    void add(std::int64_t count, Money rate, Wide per) {
        if (count == 0) {
            return;  // an absurd rate of what was not used is no fault
        }
        Wide product = 0;
        bad_ = bad_ || rate < Money::zero() ||
               __builtin_mul_overflow(
                   static_cast<Wide>(count) * rate.nano_usd(), kScale / per, &product) ||
               __builtin_add_overflow(sum_, product, &sum_);
    }

    std::optional<Money> rounded() const {
        Wide nano = 0;
        if (bad_ || __builtin_add_overflow(sum_, kScale / 2, &nano) || nano / kScale > kNanoMax) {
            return std::nullopt;
        }
        return Money::from_nano_usd(static_cast<std::int64_t>(nano / kScale));
    }

private:
    Wide sum_ = 0;
    bool bad_ = false;
};

std::optional<Money> scaled(Money rate, std::int64_t share_millionths) {
    const Wide nano =
        (static_cast<Wide>(rate.nano_usd()) * share_millionths + kMillion / 2) / kMillion;
    if (rate < Money::zero() || share_millionths < 0 || nano > kNanoMax) {
        return std::nullopt;
    }
    return Money::from_nano_usd(static_cast<std::int64_t>(nano));
}

std::optional<TokenRates> scaled(const TokenRates& tokens, std::int64_t share_millionths) {
    const auto input = scaled(tokens.input, share_millionths);
    const auto output = scaled(tokens.output, share_millionths);
    if (!input || !output) {
        return std::nullopt;
    }
    TokenRates result{.input = *input, .output = *output};
    for (const Part part : kOptionalParts) {
        if (tokens.*part) {
            result.*part = scaled(*(tokens.*part), share_millionths);
            if (!(result.*part)) {
                return std::nullopt;
            }
        }
    }
    return result;
}

}  // namespace

const TokenRates& token_rates_for(const Rates& rates, ServiceTier tier, std::int64_t input_tokens) {
    const TokenRates* chosen = &rates.tokens;
    std::int64_t above = 0;
    bool is_tiers_own = tier == ServiceTier::standard;
    for (const Variant& variant : rates.variants) {
        const bool is_own = variant.tier == tier;
        if ((!is_own && variant.tier != ServiceTier::standard) ||
            // Of no tokens at all the short input's rates hold too.
            (variant.above_input_tokens > 0 && input_tokens <= variant.above_input_tokens)) {
            continue;
        }
        if (variant.above_input_tokens > above ||
            (variant.above_input_tokens == above && is_own && !is_tiers_own)) {
            chosen = &variant.tokens;
            above = variant.above_input_tokens;
            is_tiers_own = is_own;
        }
    }
    return *chosen;
}

std::optional<Money> cost(const Rates& rates, const llm::Usage& usage) {
    return cost(rates, usage, usage.tier.value_or(ServiceTier::standard));
}

std::optional<Money> cost(const Rates& rates, const llm::Usage& usage, ServiceTier tier) {
    const llm::Usage u = usage.clamped();
    const Parts parts = parts_of(token_rates_for(rates, tier, u.input_tokens), rates.tokens);
    Sum sum;
    // The parts of clamped usage are disjoint; what is in none of them is plain input and output.
    sum.add(u.input_tokens - u.cache_read_tokens - u.cache_write_tokens - u.input_audio_tokens,
            parts.input,
            kMillion);
    sum.add(u.cache_read_tokens, parts.cache_read, kMillion);
    sum.add(u.cache_write_tokens - u.cache_write_1h_tokens, parts.cache_write, kMillion);
    sum.add(u.cache_write_1h_tokens, parts.cache_write_1h, kMillion);
    sum.add(u.input_audio_tokens, parts.input_audio, kMillion);
    sum.add(u.output_tokens - u.reasoning_tokens - u.output_audio_tokens - u.output_image_tokens,
            parts.output,
            kMillion);
    sum.add(u.reasoning_tokens, parts.reasoning, kMillion);
    sum.add(u.output_audio_tokens, parts.output_audio, kMillion);
    sum.add(u.output_image_tokens, parts.output_image, kMillion);
    sum.add(u.images, rates.image.value_or(Money::zero()), 1);
    sum.add(
        u.audio_milliseconds, rates.audio_minute.value_or(Money::zero()), kMillisecondsPerMinute);
    sum.add(u.searches, rates.search.value_or(Money::zero()), 1);
    sum.add(1, rates.request.value_or(Money::zero()), 1);
    return sum.rounded();
}

Dearest dearest(const Rates& rates, std::int64_t input_tokens) {
    Dearest most{.input = rates.tokens.input,
                 .output = rates.tokens.output,
                 .request = rates.request.value_or(Money::zero())};
    const auto see = [&](const TokenRates& tokens) {
        const Parts parts = parts_of(tokens, rates.tokens);
        most.input = std::max({most.input,
                               parts.input,
                               parts.cache_read,
                               parts.cache_write,
                               parts.cache_write_1h,
                               parts.input_audio});
        most.output = std::max(
            {most.output, parts.output, parts.reasoning, parts.output_audio, parts.output_image});
    };
    see(rates.tokens);
    for (const Variant& variant : rates.variants) {
        if (variant.above_input_tokens == 0 || input_tokens > variant.above_input_tokens) {
            see(variant.tokens);
        }
    }
    return most;
}

std::optional<std::vector<Variant>> scaled(const Rates& rates,
                                           ServiceTier tier,
                                           std::int64_t share_millionths) {
    std::vector<Variant> variants;
    const auto add = [&](std::int64_t above, const TokenRates& tokens) {
        const auto result = scaled(tokens, share_millionths);
        if (result) {
            variants.push_back({.tier = tier, .above_input_tokens = above, .tokens = *result});
        }
        return result.has_value();
    };
    bool good = add(0, rates.tokens);
    for (const Variant& variant : rates.variants) {
        if (variant.tier == ServiceTier::standard) {
            good = good && add(variant.above_input_tokens, variant.tokens);
        }
    }
    return good ? std::optional(std::move(variants)) : std::nullopt;
}

}  // namespace weir::price
