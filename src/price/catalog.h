// What is known of the prices of models that providers sell: src/price/catalog/prices.toml,
// compiled in. Immutable, made once before its first use; any thread. The configuration overrides
// it; where a figure comes from stands beside it. docs/prices.md is its manual.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "price/rates.h"

namespace weir::price {

struct CatalogEntry {
    std::string_view kind;   // of provider
    std::string_view model;  // its first name there
    Rates rates;
    std::optional<std::int64_t> max_output_tokens;
    std::string_view date;    // "2026-08-21": when the source was read
    std::string_view source;  // the name of a price list, or the address of a page
};

// The entry of exactly that name; else that of the longest name that `model` continues by '-', '@'
// or
// ':' and a version: a date or number of three digits or more, "latest", "preview" or "v1", and any
// more of such parts (`gpt-4o-2024-08-06`, `claude-haiku-4-5@20251001`, `nova-pro-v1:0`). What goes
// on in other words is another model at another price: `gpt-5-pro` is no gpt-5, `claude-opus-4-1`
// no claude-opus-4. nullptr: no price is known. Names are compared byte by byte.
const CatalogEntry* find(std::string_view kind, std::string_view model);

// By kind, then by model, as in the file.
std::span<const CatalogEntry> catalog();

}  // namespace weir::price
