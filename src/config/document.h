// A YAML text as a tree of our own, each node with its place. Stricter than YAML: duplicate keys,
// merge keys, anchors, aliases and tags are refused (yaml-cpp takes the first two silently, the
// others make bombs).
// ${VAR}, ${VAR:-fallback} and $$ are expanded in scalars; what a variable holds is never read as
// YAML.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reporter.h"

namespace weir::config {

inline constexpr std::size_t kDocumentBytesMax = 4u << 20;
inline constexpr std::size_t kDocumentDepthMax = 32;

struct Node {
    enum class Kind : unsigned char { null, scalar, list, map };
    struct Entry;
    Kind kind = Kind::null;
    Place place;
    std::string text;  // of a scalar
    std::vector<Node> items;
    std::vector<Entry> entries;

    const Node* find(std::string_view key) const;
};
struct Node::Entry {
    std::string key;
    Place place;
    Node value;
};

// The environment enters here; nullopt where a variable is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// The root, a map (empty for an empty text); nullopt after a fault, which was reported.
std::optional<Node> parse_document(std::string_view text, const Lookup& lookup, Reporter& reporter);

}  // namespace weir::config
