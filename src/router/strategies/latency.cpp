#include "router/strategies/latency.h"

#include <algorithm>

#include "router/strategies/scored.h"

namespace weir::router::strategies {
namespace {

bool is_known(const Option& option) { return option.load.first_token_us > 0; }

double answer_us(const Option& option, const Question& question) {
    return option.load.first_token_us +
           static_cast<double>(question.output_tokens) * option.load.token_us;
}

// Of the known ones; where none is, any figure serves, for all are compared by it.
double mean_answer_us(std::span<const Option> options,
                      const Question& question,
                      std::span<const std::uint16_t> chosen) {
    double sum = 0;
    std::size_t count = 0;
    for (const std::uint16_t index : chosen) {
        if (is_known(options[index])) {
            sum += answer_us(options[index], question);
            ++count;
        }
    }
    return count == 0 ? 1 : sum / static_cast<double>(count);
}

void to_front(std::span<std::uint16_t> chosen, std::size_t i) {
    std::rotate(chosen.begin(), chosen.begin() + i, chosen.begin() + i + 1);
}

// One of those nobody knows and nobody waits for, at random.
std::optional<std::size_t> find_unexplored(std::span<const Option> options,
                                           const Question& question,
                                           std::span<const std::uint16_t> chosen) {
    std::optional<std::size_t> found;
    double best = 0;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        const Option& option = options[chosen[i]];
        if (is_known(option) || option.load.in_flight > 0) {
            continue;
        }
        const double mine = chance(question.random, option.weight);
        if (!found || mine < best) {
            found = i;
            best = mine;
        }
    }
    return found;
}

// Of `chosen`, which is in order: the better of two.
std::size_t better_of_two(std::span<const Option> options,
                          const Question& question,
                          std::span<const std::uint16_t> chosen) {
    std::uint64_t sum = 0;
    for (const std::uint16_t index : chosen) {
        sum += options[index].weight;
    }
    // The place where a ticket of the rest of the weight falls, all but `without`.
    const auto draw = [&](std::size_t without) {
        const bool is_second = without < chosen.size();
        std::uint64_t ticket =
            question.random.below(sum - (is_second ? options[chosen[without]].weight : 0));
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const std::uint64_t weight = i == without ? 0 : options[chosen[i]].weight;
            if (ticket < weight) {
                return i;
            }
            ticket -= weight;
        }
        std::unreachable();
    };
    const std::size_t one = draw(chosen.size());
    return std::min(one, draw(one));
}

}  // namespace

void latency(std::span<const Option> options,
             const Question& question,
             std::span<std::uint16_t> chosen) {
    const double unknown_us = mean_answer_us(options, question, chosen);
    if (const auto unexplored = find_unexplored(options, question, chosen)) {
        to_front(chosen, *unexplored);
        chosen = chosen.subspan(1);
    }
    sort_by(options, chosen, [&](const Option& option) {
        const double us = is_known(option) ? answer_us(option, question) : unknown_us;
        return Score{us * (option.load.in_flight + 1.0) / option.weight, question.random.unit()};
    });
    if (chosen.size() > 1) {
        to_front(chosen, better_of_two(options, question, chosen));
    }
}

}  // namespace weir::router::strategies
