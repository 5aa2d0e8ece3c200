// What a model costs, and what a call cost. Values and pure functions, integers only: rates are
// nano-dollars, a call's cost is rounded half up to a nano-dollar once.
//
// A part that has no rate of its own falls back, so that nothing is priced at nothing by omission:
//   cache_write_1h -> cache_write -> input     cache_read, input_audio -> input
//   reasoning, output_audio, output_image -> output
// Before that, a variant's missing part takes the standard tier's rate for it: raised as the
// variant's input (or output) is, where that is dearer, and never lowered. A long input doubles the
// price of a cache too; a batch has no discount that nobody named.
// What is not counted in tokens (images, audio time, searches, requests) costs nothing unless said.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/money.h"
#include "llm/usage.h"

namespace weir::price {

using llm::ServiceTier;

// Per million tokens.
struct TokenRates {
    Money input;
    Money output;
    std::optional<Money> cache_read = {};
    std::optional<Money> cache_write = {};
    std::optional<Money> cache_write_1h = {};
    std::optional<Money> input_audio = {};
    std::optional<Money> output_audio = {};
    std::optional<Money> output_image = {};
    std::optional<Money> reasoning = {};
    bool operator==(const TokenRates&) const = default;
};

// Other token rates, for the whole call, where it is served in `tier` and its input is longer than
// `above_input_tokens`.
struct Variant {
    ServiceTier tier = ServiceTier::standard;
    std::int64_t above_input_tokens = 0;
    TokenRates tokens;
    bool operator==(const Variant&) const = default;
};

struct Rates {
    TokenRates tokens;  // the standard tier, short input
    std::optional<Money> image = {};
    std::optional<Money> audio_minute = {};
    std::optional<Money> search = {};
    std::optional<Money> request = {};
    std::vector<Variant> variants = {};
    bool operator==(const Rates&) const = default;
};

// The token rates of a call: of all that its tier and the standard tier have for input this long,
// those for the longest input; of two for the same length, the tier's own. So a tier without rates
// costs what standard costs, and so does a long input that the tier has no rates for.
const TokenRates& token_rates_for(const Rates& rates, ServiceTier tier, std::int64_t input_tokens);

// Where no tier is named: in the one that the usage tells, else the standard one. nullopt on
// overflow and for negative rates: such a figure is wrong, not large.
std::optional<Money> cost(const Rates& rates, const llm::Usage& usage);
std::optional<Money> cost(const Rates& rates, const llm::Usage& usage, ServiceTier tier);

// The most that a call's tokens can cost whatever their kind and whichever tier serves it, for the
// hold before the call: per million, and once for the request. Of an input of at most
// `input_tokens`. Images, audio time and searches are not foreseen here.
struct Dearest {
    Money input;
    Money output;
    Money request;
};
Dearest dearest(const Rates& rates, std::int64_t input_tokens);

// `rates` in a tier that costs a share of the standard one, in millionths (500'000 is half),
// rounded half up to a nano-dollar: a variant for the short input and one for each long one that
// the standard tier has. nullopt on overflow.
std::optional<std::vector<Variant>> scaled(const Rates& rates,
                                           ServiceTier tier,
                                           std::int64_t share_millionths);

}  // namespace weir::price
