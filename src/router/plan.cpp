#include "router/plan.h"

#include <algorithm>
#include <bitset>

#include "router/hash.h"

namespace weir::router {
namespace {

// What the strategies on the way to a group want to know of its targets.
struct Wanted {
    bool price = false;
    bool prefix = false;
    Wanted with(Strategy strategy) const {
        return {.price = price || strategy == Strategy::cost,
                .prefix = prefix || strategy == Strategy::prefix_affinity};
    }
};

constexpr double kTokensPerRate = 1e6;
constexpr double kCostMax = 9e18;  // an integer has room for that

bool is_ready(const Load& load) {
    return load.is_available && (load.in_flight_max == 0 || load.in_flight < load.in_flight_max);
}

// A group of groups has no more than that either.
using Places = InlineVector<const Target*, kTargetsMax>;

class Planner {
public:
    Planner(const Resolved& resolved, const Catalog& catalog, const Facts& facts, LoadOf load_of)
        : resolved_(resolved), catalog_(catalog), facts_(facts), load_of_(load_of) {}

    // Appends the targets of the group in their order, and says how the group looks from outside.
    // Only weight and tier are missing there. Recurses at most kGroupDepthMax deep.
    Option arrange(const Group& group, Strategy strategy, Wanted wanted, Places& out) {
        struct Segment {
            std::uint16_t begin, end;
        };
        wanted = wanted.with(strategy);
        WEIR_UNINITIALIZED Places places;
        WEIR_UNINITIALIZED InlineVector<Option, kTargetsMax> options;
        WEIR_UNINITIALIZED InlineVector<Segment, kTargetsMax> segments;
        for (const Member& member : group.members) {
            const auto begin = static_cast<std::uint16_t>(places.size());
            if (member.is_group) {
                const Group& inner = catalog_.groups()[member.index];
                Option option = arrange(inner, inner.strategy, wanted, places);
                option.weight = member.weight;
                option.tier = member.tier;
                options.push_back(option);
            } else {
                const Target& target = catalog_.targets()[member.index];
                if (target.is_disabled ||
                    (facts_.provider && *facts_.provider != target.provider)) {
                    continue;
                }
                options.push_back(look_at(target, member, wanted));
                places.push_back(&target);
            }
            const auto end = static_cast<std::uint16_t>(places.size());
            segments.push_back({begin, end});
            if (begin == end) {
                options[options.size() - 1].weight = 0;  // nothing in it may be tried
            }
        }
        WEIR_UNINITIALIZED std::array<std::uint16_t, kTargetsMax> ranks;
        const std::size_t count = order(strategy, options.span(), question(), ranks);
        for (std::size_t i = 0; i < count; ++i) {
            const Segment& segment = segments[ranks[i]];
            for (std::size_t j = segment.begin; j < segment.end; ++j) {
                out.push_back(places[j]);
            }
        }
        return seen_as_one(group, options.span());
    }

private:
    Question question() const {
        return {.sticky = facts_.sticky,
                .first_block = facts_.prefix.empty() ? 0 : facts_.prefix.front(),
                .output_tokens = facts_.output_tokens,
                .random = facts_.random};
    }

    Option look_at(const Target& target, const Member& member, Wanted wanted) {
        Option option{.weight = member.weight, .tier = member.tier, .load = load_of_(target)};
        option.weight = option.load.weight.value_or(member.weight);
        option.identity = catalog_.identities()[target.identity].hash;
        if (wanted.price) {
            option.price = price_at(target);
        }
        if (wanted.prefix && facts_.prefixes != nullptr) {
            option.cached_prefix_bytes = prefixes().bytes_at(option.identity);
        }
        return option;
    }

    std::optional<std::int64_t> price_at(const Target& target) const {
        const Choice choice = catalog_.choice(resolved_, target);
        if (choice.rates == nullptr) {
            return std::nullopt;
        }
        // To compare, not to bill: what is exact takes ten times as long.
        const auto input = static_cast<std::int64_t>(facts_.traits.prompt_tokens);
        const price::TokenRates& tokens =
            price::token_rates_for(*choice.rates, price::ServiceTier::standard, input);
        const auto nano_usd = [](const Money& money) {
            return static_cast<double>(money.nano_usd());
        };
        const double cost = (nano_usd(tokens.input) * static_cast<double>(input) +
                             nano_usd(tokens.output) * facts_.output_tokens) /
                                kTokensPerRate +
                            nano_usd(choice.rates->request.value_or(Money::zero()));
        return static_cast<std::int64_t>(std::min(cost, kCostMax));
    }

    const CachedPrefixes& prefixes() {
        if (!has_prefixes_) {
            facts_.prefixes->find(facts_.prefix, prefixes_);
            has_prefixes_ = true;
        }
        return prefixes_;
    }

    // Available, cheap, quick and warm like the best in it; as busy as all together.
    Option seen_as_one(const Group& group, std::span<const Option> options) const {
        Option one{.identity = group.hash};
        one.load.is_available = false;
        bool is_any_ready = false;
        double best_us = 0;
        for (const Option& option : options) {
            if (option.weight == 0) {
                continue;
            }
            one.load.in_flight += option.load.in_flight;
            one.load.is_available |= option.load.is_available;
            one.cached_prefix_bytes = std::max(one.cached_prefix_bytes, option.cached_prefix_bytes);
            if (!is_ready(option.load)) {
                continue;
            }
            is_any_ready = true;
            if (option.price && (!one.price || *option.price < *one.price)) {
                one.price = option.price;
            }
            const double us =
                option.load.first_token_us + facts_.output_tokens * option.load.token_us;
            if (option.load.first_token_us > 0 && (best_us == 0 || us < best_us)) {
                best_us = us;
                one.load.first_token_us = option.load.first_token_us;
                one.load.token_us = option.load.token_us;
            }
        }
        one.load.in_flight_max = is_any_ready ? 0 : one.load.in_flight;
        return one;
    }

    const Resolved& resolved_;
    const Catalog& catalog_;
    const Facts& facts_;
    LoadOf load_of_;
    bool has_prefixes_ = false;
    CachedPrefixes prefixes_;
};

// Where a plan leads already. Most that are new are told by a bit.
class Visited {
public:
    bool has(const Plan& plan, std::size_t identity) const {
        return bits_.test(identity % bits_.size()) &&
               std::any_of(plan.begin(), plan.end(), [identity](const Target* target) {
                   return target->identity == identity;
               });
    }
    void add(std::size_t identity) { bits_.set(identity % bits_.size()); }

private:
    std::bitset<1024> bits_;
};

void append_fallback(Planner& planner, const Group& group, Visited& visited, Plan& out) {
    WEIR_UNINITIALIZED Places places;
    planner.arrange(group, group.strategy, {}, places);
    for (const Target* target : places) {
        if (!out.is_full() && !visited.has(out, target->identity)) {
            visited.add(target->identity);
            out.push_back(target);
        }
    }
}

}  // namespace

void plan(const Resolved& resolved,
          const Catalog& catalog,
          const Facts& facts,
          LoadOf load_of,
          Plan& out) {
    out.clear();
    const Model& model = *resolved.model;
    const Rule* rule = strategies::first_match(model.rules, facts.traits);
    const Group& group = catalog.groups()[rule != nullptr ? rule->group : model.group];
    const Strategy strategy =
        rule == nullptr ? facts.strategy.value_or(group.strategy) : group.strategy;
    WEIR_UNINITIALIZED Planner planner(resolved, catalog, facts, load_of);
    WEIR_UNINITIALIZED Places places;
    planner.arrange(group, strategy, {}, places);
    for (const Target* target : places) {
        out.push_back(target);
    }
    if (model.fallback.empty()) {
        return;
    }
    Visited visited;
    for (const Target* target : out) {
        visited.add(target->identity);
    }
    for (const std::uint32_t fallback : model.fallback) {
        append_fallback(planner, catalog.groups()[fallback], visited, out);
    }
}

void plan_context_fallback(const Resolved& resolved,
                           const Catalog& catalog,
                           const Facts& facts,
                           LoadOf load_of,
                           Plan& out) {
    out.clear();
    if (resolved.model->context_fallback) {
        WEIR_UNINITIALIZED Planner planner(resolved, catalog, facts, load_of);
        Visited visited;
        append_fallback(planner, catalog.groups()[*resolved.model->context_fallback], visited, out);
    }
}

}  // namespace weir::router
