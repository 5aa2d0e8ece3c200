// The catalog as the build writes it from prices.toml (catalog/catalog.py): constants without
// anything to be allocated. For catalog.cpp alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "price/rates.h"

namespace weir::price::table {

struct Row {
    std::string_view kind, model;
    TokenRates tokens;
    std::optional<Money> image, audio_minute, search, request;
    std::size_t first_variant, variants;
    std::int64_t max_output_tokens;  // 0: unknown
    std::string_view date, source;
};

struct Name {
    std::string_view kind, name;
    std::size_t row;
};

constexpr bool comes_before(const Name& one, const Name& other) {
    return std::pair(one.kind, one.name) < std::pair(other.kind, other.name);
}

extern const std::span<const Variant> kVariants;
extern const std::span<const Row> kRows;
extern const std::span<const Name> kNames;  // sorted by comes_before

}  // namespace weir::price::table
