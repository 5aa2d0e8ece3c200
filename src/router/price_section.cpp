#include "router/price_section.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weir::router {
namespace {

// Vendors have one or two.
constexpr std::size_t kLongContextsMax = 8;
constexpr std::uint64_t kSharePercentMax = 10'000;
constexpr std::int64_t kMillionthsPerPercent = 10'000;

// What the file says, before it is Rates.
struct LongContext {
    std::int64_t above = 0;
    price::TokenRates tokens;
};
struct Tier {
    std::optional<std::int64_t> share_millionths;  // else its own rates
    price::TokenRates tokens;
    std::vector<LongContext> long_context;
};
struct Price {
    price::TokenRates tokens;
    std::optional<Money> image, audio_minute, search, request;
    std::vector<LongContext> long_context;
    std::optional<Tier> batch, flex, priority;
};

config::Object<price::TokenRates> token_rates() {
    using price::TokenRates;
    const auto money = [] { return config::optional(config::money()); };
    config::Object<TokenRates> tokens;
    tokens.required("input", &TokenRates::input, config::money(), "for a million input tokens")
        .required("output", &TokenRates::output, config::money(), "for a million output tokens")
        .field("cache_read",
               &TokenRates::cache_read,
               money(),
               "for a million input tokens read from a cache; as input unless set")
        .field("cache_write",
               &TokenRates::cache_write,
               money(),
               "for a million input tokens written to a cache; as input unless set")
        .field("cache_write_1h",
               &TokenRates::cache_write_1h,
               money(),
               "for those that stay for an hour; as cache_write unless set")
        .field("input_audio",
               &TokenRates::input_audio,
               money(),
               "for a million input tokens of audio; as input unless set")
        .field("output_audio",
               &TokenRates::output_audio,
               money(),
               "for a million output tokens of audio; as output unless set")
        .field("output_image",
               &TokenRates::output_image,
               money(),
               "for a million output tokens of images; as output unless set")
        .field("reasoning",
               &TokenRates::reasoning,
               money(),
               "for a million output tokens of reasoning; as output unless set");
    return tokens;
}

config::Type<std::vector<LongContext>> long_contexts() {
    config::Object<LongContext> one;
    one.required("above",
                 &LongContext::above,
                 config::integer(1, 100'000'000),
                 "input tokens, cached ones among them; the next one changes the price of all")
        .inlined(&LongContext::tokens, token_rates());
    auto list = config::list(one.type());
    return {[read = std::move(list.read)](const config::Position& at,
                                          std::vector<LongContext>& into,
                                          config::Reporter& reporter) {
                if (!read(at, into, reporter)) {
                    return false;
                }
                if (into.size() > kLongContextsMax) {
                    reporter.report(at.node.place,
                                    at.path,
                                    fmt::format("expected at most {} lengths, found {}",
                                                kLongContextsMax,
                                                into.size()));
                    return false;
                }
                for (std::size_t i = 1; i < into.size(); ++i) {
                    if (into[i].above <= into[i - 1].above) {
                        reporter.report(at.node.items[i].place,
                                        fmt::format("{}[{}].above", at.path, i),
                                        fmt::format("expected more than the {} before it, found {}",
                                                    into[i - 1].above,
                                                    into[i].above));
                        return false;
                    }
                }
                return true;
            },
            std::move(list.schema)};
}

std::optional<std::int64_t> parse_share(std::string_view text) {
    if (!text.ends_with('%')) {
        return std::nullopt;
    }
    const auto percent = parse_decimal(text.substr(0, text.size() - 1));
    if (!percent || *percent > kSharePercentMax) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*percent) * kMillionthsPerPercent;
}

// `50%`, or a map of its own rates.
config::Type<Tier> tier_type() {
    config::Object<Tier> own;
    own.inlined(&Tier::tokens, token_rates())
        .field("long_context",
               &Tier::long_context,
               long_contexts(),
               "rates of the whole call for longer inputs");
    auto rates = own.type();
    return {[read = std::move(rates.read)](
                const config::Position& at, Tier& into, config::Reporter& reporter) {
                if (at.node.kind == config::Node::Kind::map) {
                    return read(at, into, reporter);
                }
                into.share_millionths = at.node.kind == config::Node::Kind::scalar
                                            ? parse_share(at.node.text)
                                            : std::nullopt;
                if (!into.share_millionths) {
                    config::detail::report_unexpected(
                        at, "a share such as 50%, at most 10000%, or a map of rates", reporter);
                    return false;
                }
                return true;
            },
            R"({"anyOf":[{"type":"string","pattern":"^[0-9]+%$"},)" + rates.schema + "]}"};
}

void append(std::vector<price::Variant>& variants,
            price::ServiceTier tier,
            const std::vector<LongContext>& lengths) {
    for (const LongContext& length : lengths) {
        variants.push_back(
            {.tier = tier, .above_input_tokens = length.above, .tokens = length.tokens});
    }
}

// nullopt on overflow of a share.
std::optional<price::Rates> to_rates(const Price& price) {
    price::Rates rates{.tokens = price.tokens,
                       .image = price.image,
                       .audio_minute = price.audio_minute,
                       .search = price.search,
                       .request = price.request};
    append(rates.variants, price::ServiceTier::standard, price.long_context);
    const std::pair<price::ServiceTier, const std::optional<Tier>&> tiers[] = {
        {price::ServiceTier::batch, price.batch},
        {price::ServiceTier::flex, price.flex},
        {price::ServiceTier::priority, price.priority}};
    for (const auto& [name, tier] : tiers) {
        if (!tier) {
            continue;
        }
        if (!tier->share_millionths) {
            rates.variants.push_back({.tier = name, .tokens = tier->tokens});
            append(rates.variants, name, tier->long_context);
            continue;
        }
        const auto shares = price::scaled(rates, name, *tier->share_millionths);
        if (!shares) {
            return std::nullopt;
        }
        rates.variants.insert(rates.variants.end(), shares->begin(), shares->end());
    }
    return rates;
}

config::Type<Price> written_type() {
    const auto money = [] { return config::optional(config::money()); };
    const auto tier = [] { return config::optional(tier_type()); };
    config::Object<Price> object;
    object.inlined(&Price::tokens, token_rates())
        .field("image", &Price::image, money(), "for an image made")
        .field("audio_minute",
               &Price::audio_minute,
               money(),
               "for a minute of audio heard or spoken, by the millisecond")
        .field("search", &Price::search, money(), "for a search of the web or a ranking")
        .field("request", &Price::request, money(), "for every call")
        .field("long_context",
               &Price::long_context,
               long_contexts(),
               "rates of the whole call for longer inputs")
        .field("batch", &Price::batch, tier(), "in a batch; as standard unless set")
        .field("flex", &Price::flex, tier(), "in the tier flex; as standard unless set")
        .field(
            "priority", &Price::priority, tier(), "in the tier priority; as standard unless set");
    return object.type();
}

}  // namespace

config::Type<price::Rates> price_type() {
    auto written = written_type();
    return {[read = std::move(written.read)](
                const config::Position& at, price::Rates& into, config::Reporter& reporter) {
                Price price;
                if (!read(at, price, reporter)) {
                    return false;
                }
                auto rates = to_rates(price);
                if (!rates) {
                    reporter.report(
                        at.node.place, at.path, "a share of these rates is too large a figure");
                    return false;
                }
                into = std::move(*rates);
                return true;
            },
            std::move(written.schema)};
}

}  // namespace weir::router
