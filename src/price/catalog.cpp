#include "price/catalog.h"

#include <algorithm>
#include <vector>

#include "price/catalog_table.h"

namespace weir::price {
namespace {

std::vector<CatalogEntry> make_entries() {
    std::vector<CatalogEntry> entries;
    entries.reserve(table::kRows.size());
    for (const table::Row& row : table::kRows) {
        const auto variants = table::kVariants.subspan(row.first_variant, row.variants);
        entries.push_back({.kind = row.kind,
                           .model = row.model,
                           .rates = {.tokens = row.tokens,
                                     .image = row.image,
                                     .audio_minute = row.audio_minute,
                                     .search = row.search,
                                     .request = row.request,
                                     .variants = {variants.begin(), variants.end()}},
                           .max_output_tokens = row.max_output_tokens == 0
                                                    ? std::nullopt
                                                    : std::optional(row.max_output_tokens),
                           .date = row.date,
                           .source = row.source});
    }
    return entries;
}

const std::vector<CatalogEntry>& entries() {
    // Never destroyed: threads may still price their last calls while the program ends.
    static const auto& made = *new std::vector<CatalogEntry>(make_entries());
    return made;
}

const CatalogEntry* find_exact(std::string_view kind, std::string_view name) {
    const table::Name wanted{.kind = kind, .name = name, .row = 0};
    const auto found =
        std::lower_bound(table::kNames.begin(), table::kNames.end(), wanted, table::comes_before);
    if (found == table::kNames.end() || found->kind != kind || found->name != name) {
        return nullptr;
    }
    return &entries()[found->row];
}

constexpr std::string_view kBoundaries = "-@:";

bool is_number(std::string_view part) {
    return !part.empty() &&
           std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// One part of a version; the first one must be more than a digit or two, which would be another
// model's number.
enum class Part { word, number, long_number, other };
Part kind_of(std::string_view part) {
    if (part == "latest" || part == "preview" ||
        (part.starts_with('v') && is_number(part.substr(1)))) {
        return Part::word;
    }
    if (!is_number(part)) {
        return Part::other;
    }
    constexpr std::size_t kLongNumberDigits = 3;
    return part.size() < kLongNumberDigits ? Part::number : Part::long_number;
}

}  // namespace

std::span<const CatalogEntry> catalog() { return entries(); }

const CatalogEntry* find(std::string_view kind, std::string_view model) {
    if (const CatalogEntry* exact = find_exact(kind, model)) {
        return exact;
    }
    // From the end, part by part, while what was passed is a version.
    std::size_t end = model.size();
    for (;;) {
        const std::size_t boundary = model.substr(0, end).find_last_of(kBoundaries);
        if (boundary == std::string_view::npos || boundary == 0) {
            return nullptr;
        }
        const Part part = kind_of(model.substr(boundary + 1, end - boundary - 1));
        if (part == Part::other) {
            return nullptr;
        }
        if (part != Part::number) {
            if (const CatalogEntry* found = find_exact(kind, model.substr(0, boundary))) {
                return found;
            }
        }
        end = boundary;
    }
}

}  // namespace weir::price
