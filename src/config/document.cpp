#include "config/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

namespace weir::config {
namespace {

Place place_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

bool is_name(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return !text.empty();
}

// yaml-cpp's own tree would be built by recursion and forget duplicate keys; its events are enough.
class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(const Lookup& lookup, Reporter& reporter) : lookup_(lookup), reporter_(reporter) {}

    Node root;
    bool failed = false;

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        take(mark, Node{.kind = Node::Kind::null, .place = place_of(mark)});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "aliases are not taken here: write the value again");
        take(mark, Node{.place = place_of(mark)});
    }
    void OnScalar(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        const bool plain_null = tag == "?" && (value == "~" || value == "null");
        if (plain_null) {
            take(mark, Node{.place = place_of(mark)});
            return;
        }
        const bool is_key =
            !stack_.empty() && stack_.back().node.kind == Node::Kind::map && !stack_.back().key;
        take(mark,
             Node{.kind = Node::Kind::scalar,
                  .place = place_of(mark),
                  .text = is_key ? value : expand(mark, value)});
    }
    void OnSequenceStart(const YAML::Mark& mark,
                         const std::string& tag,
                         YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(mark, tag, anchor, Node::Kind::list);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark,
                    const std::string& tag,
                    YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(mark, tag, anchor, Node::Kind::map);
    }
    void OnMapEnd() override { end(); }

private:
    struct Open {
        Node node;
        YAML::Mark mark;
        std::optional<Node> key;  // of a map: read, and its value awaited
    };

    void refuse(const YAML::Mark& mark, std::string message) {
        failed = true;
        reporter_.report(place_of(mark), "", std::move(message));
    }
    void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != 0) {
            refuse(mark, "anchors are not taken here: write the value where it is needed");
        }
    }
    void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!") {
            refuse(mark, fmt::format("the tag {} is not taken here", tag));
        }
    }

    void begin(const YAML::Mark& mark,
               const std::string& tag,
               YAML::anchor_t anchor,
               Node::Kind kind) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (stack_.size() == kDocumentDepthMax) {
            // Thrown through yaml-cpp to stop its own recursion; caught in parse_document.
            throw YAML::ParserException(
                mark, fmt::format("nested deeper than {} levels", kDocumentDepthMax));
        }
        stack_.push_back({Node{.kind = kind, .place = place_of(mark)}, mark, std::nullopt});
    }
    void end() {
        Open open = std::move(stack_.back());
        stack_.pop_back();
        take(open.mark, std::move(open.node));
    }

    void take(const YAML::Mark& mark, Node node) {
        if (stack_.empty()) {
            root = std::move(node);
            return;
        }
        Open& open = stack_.back();
        if (open.node.kind == Node::Kind::list) {
            open.node.items.push_back(std::move(node));
            return;
        }
        if (!open.key) {
            if (node.kind != Node::Kind::scalar) {
                refuse(mark, "a key must be a word");
            } else if (node.text == "<<") {
                refuse(mark, "merge keys are not taken here: write the values out");
            } else if (const auto* earlier = find_entry(open.node, node.text)) {
                refuse(mark,
                       fmt::format("the key '{}' stands twice, first at line {}",
                                   node.text,
                                   earlier->place.line));
            }
            open.key = std::move(node);
            return;
        }
        open.node.entries.push_back({std::move(open.key->text), open.key->place, std::move(node)});
        open.key.reset();
    }

    static const Node::Entry* find_entry(const Node& map, std::string_view key) {
        for (const auto& entry : map.entries) {
            if (entry.key == key) {
                return &entry;
            }
        }
        return nullptr;
    }

    std::string expand(const YAML::Mark& mark, std::string_view text) {
        std::string expanded;
        while (!text.empty()) {
            const std::size_t dollar = text.find('$');
            expanded += text.substr(0, dollar);
            if (dollar == std::string_view::npos) {
                break;
            }
            text.remove_prefix(dollar);
            if (text.starts_with("$$")) {
                expanded += '$';
                text.remove_prefix(2);
                continue;
            }
            const std::size_t close = text.find('}');
            if (!text.starts_with("${") || close == std::string_view::npos) {
                refuse(mark, "a lone '$': write $$ for a dollar sign, ${NAME} for a variable");
                break;
            }
            const std::string_view inside = text.substr(2, close - 2);
            const std::size_t fallback = inside.find(":-");
            const std::string_view name = inside.substr(0, fallback);
            text.remove_prefix(close + 1);
            if (!is_name(name)) {
                refuse(mark, fmt::format("'{}' is no variable name", name));
                continue;
            }
            const auto value = lookup_(name);
            if (value && !(value->empty() && fallback != std::string_view::npos)) {
                expanded += *value;
            } else if (fallback != std::string_view::npos) {
                expanded += inside.substr(fallback + 2);
            } else {
                // The text is sound: what else is wrong with it is found in the same run. The name
                // stands in, so that nobody also complains of a missing value.
                reporter_.report(
                    place_of(mark),
                    "",
                    fmt::format("the variable {} is not set: set it, or write ${{{}:-fallback}}",
                                name,
                                name));
                expanded += name;
            }
        }
        return expanded;
    }

    const Lookup& lookup_;
    Reporter& reporter_;
    std::vector<Open> stack_;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
    for (const auto& entry : entries) {
        if (entry.key == key) {
            return &entry.value;
        }
    }
    return nullptr;
}

std::optional<Node> parse_document(std::string_view text,
                                   const Lookup& lookup,
                                   Reporter& reporter) {
    if (text.size() > kDocumentBytesMax) {
        reporter.report({}, "", fmt::format("the file is larger than {} bytes", kDocumentBytesMax));
        return std::nullopt;
    }
    TreeBuilder builder(lookup, reporter);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
        TreeBuilder rest(lookup, reporter);
        if (parser.HandleNextDocument(rest)) {
            reporter.report(rest.root.place, "", "one document is expected, not several");
            return std::nullopt;
        }
    } catch (const YAML::Exception& error) {
        reporter.report(place_of(error.mark), "", error.msg);
        return std::nullopt;
    } catch (const std::exception& error) {  // yaml-cpp throws others on some malformed input
        reporter.report({}, "", fmt::format("not readable as YAML: {}", error.what()));
        return std::nullopt;
    }
    if (builder.failed) {
        return std::nullopt;
    }
    if (builder.root.kind == Node::Kind::null) {
        builder.root.kind = Node::Kind::map;
    }
    if (builder.root.kind != Node::Kind::map) {
        reporter.report(
            builder.root.place, "", "the file must be a map of sections: `server: {…}`");
        return std::nullopt;
    }
    return std::move(builder.root);
}

}  // namespace weir::config
