#include "dialect/json/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dialect/json/value.h"
#include "dialect/json/writer.h"

namespace weir::dialect::json {
namespace {

// Every value is wanted: one scope for all.
constexpr int kInside = kRoot + 1;

}  // namespace

struct Document::Builder {
    Document& document;
    std::vector<std::uint32_t> open_nodes;

    void add(std::string_view key, Kind kind, Span span) {
        auto& nodes = document.nodes_;
        if (!open_nodes.empty()) {
            ++nodes[open_nodes.back()].size;
        }
        // An escaped key lies in the scan's scratch, which the next key overwrites.
        const bool lies_in_text = key.data() >= document.text_.data() &&
                                  key.data() < document.text_.data() + document.text_.size();
        if (!key.empty() && !lies_in_text) {
            key = document.keys_.emplace_back(key);
        }
        const auto index = static_cast<std::uint32_t>(nodes.size());
        nodes.push_back({.kind = kind, .next = index + 1, .size = 0, .key = key, .span = span});
    }
    int open(int, std::string_view key, Kind kind) {
        add(key, kind, {});
        open_nodes.push_back(static_cast<std::uint32_t>(document.nodes_.size() - 1));
        return kInside;
    }
    void close(int, Span span) {
        Node& node = document.nodes_[open_nodes.back()];
        open_nodes.pop_back();
        node.span = span;
        node.next = static_cast<std::uint32_t>(document.nodes_.size());
    }
    void scalar(int, std::string_view key, Kind kind, Span span) { add(key, kind, span); }
};

Result<Value> Document::parse(std::string_view text, Duplicates duplicates) {
    text_ = text;
    nodes_.clear();
    keys_.clear();
    Builder builder{.document = *this, .open_nodes = {}};
    WEIR_TRY(scan(text, duplicates, scratch_, builder));
    return Value(this, 0);
}

Kind Value::kind() const {
    WEIR_ASSERT(document_ != nullptr);
    return document_->nodes_[at_].kind;
}

Value Value::operator[](std::string_view key) const {
    if (!is_object()) {
        return {};
    }
    // Of two with the same name the last one counts, as in every JavaScript client.
    Value found;
    for (const Value member : *this) {
        if (member.key() == key) {
            found = member;
        }
    }
    return found;
}

std::string_view Value::key() const {
    return document_ == nullptr ? std::string_view{} : document_->nodes_[at_].key;
}

Span Value::span() const { return document_ == nullptr ? Span{} : document_->nodes_[at_].span; }

std::string_view Value::json() const {
    return document_ == nullptr ? std::string_view{} : span().in(document_->text_);
}

std::size_t Value::size() const { return document_ == nullptr ? 0 : document_->nodes_[at_].size; }

std::optional<std::string> Value::string() const {
    if (!is_string()) {
        return std::nullopt;
    }
    return read_string(json());
}

std::string Value::string_or(std::string_view fallback) const {
    return is_string() ? read_string(json()) : std::string(fallback);
}

std::string_view Value::view(std::string& aside) const {
    return is_string() ? view_string(json(), aside) : std::string_view{};
}

bool Value::equals(std::string_view text) const {
    if (!is_string()) {
        return false;
    }
    std::string aside;
    return view_string(json(), aside) == text;
}

std::optional<double> Value::number() const {
    if (!is_number()) {
        return std::nullopt;
    }
    const std::string_view text = json();
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;  // beyond what a double holds
    }
    return value;
}

std::optional<std::int64_t> Value::integer() const {
    if (!is_number()) {
        return std::nullopt;
    }
    if (const auto whole = read_integer(json())) {
        return whole;
    }
    constexpr double kExactMax = 9007199254740992.0;  // 2^53: every whole number below is exact
    const auto value = number();
    if (!value || std::abs(*value) > kExactMax || std::trunc(*value) != *value) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(*value);
}

std::optional<bool> Value::boolean() const {
    if (is(Kind::true_)) {
        return true;
    }
    return is(Kind::false_) ? std::optional(false) : std::nullopt;
}

std::string Value::path() const {
    std::string path;
    if (document_ == nullptr) {
        return path;
    }
    // Walks down from the outermost value: whose subtree holds the wanted one?
    Value at(document_, 0);
    while (at.at_ != at_) {
        std::size_t index = 0;
        for (const Value member : at) {
            if (at_ < document_->nodes_[member.at_].next) {
                if (at.is_array()) {
                    path += fmt::format("[{}]", index);
                } else {
                    path += fmt::format("{}{}", path.empty() ? "" : ".", member.key());
                }
                at = member;
                break;
            }
            ++index;
        }
    }
    return path;
}

Value::Iterator& Value::Iterator::operator++() {
    at_ = document_->nodes_[at_].next;
    return *this;
}

Value::Iterator Value::begin() const {
    const bool has_members = is_object() || is_array();
    return has_members ? Iterator(document_, at_ + 1) : end();
}

Value::Iterator Value::end() const {
    return document_ == nullptr ? Iterator(nullptr, 0)
                                : Iterator(document_, document_->nodes_[at_].next);
}

std::string pick(std::string_view object, std::span<const std::string_view> names) {
    Document document;
    const auto root = document.parse(object, Duplicates::allowed);
    if (!root || !root->is_object()) {
        return std::string(object);
    }
    std::string picked;
    Writer json(picked);
    json.object();
    for (const Value member : *root) {
        if (std::find(names.begin(), names.end(), member.key()) != names.end()) {
            json.raw_field(member.key(), member.json());
        }
    }
    json.end_object();
    return picked;
}

}  // namespace weir::dialect::json
