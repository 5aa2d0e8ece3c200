// How a configuration value is read into C++: a Type<T> reads a node into a T, reports what is
// wrong with its place, and describes itself as JSON Schema. A struct is described once, as an
// Object, and parsing, messages and schema follow. Built at start-up; pure.
//
//   config::Object<ServerSection> object;
//   object.field("listen", &ServerSection::listen, config::text(), "where clients connect")
//         .field("threads", &ServerSection::threads, config::integer(0, 1024), "…");
//   const config::Type<ServerSection> type = object.type();
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/money.h"
#include "base/secret.h"
#include "config/document.h"
#include "config/reporter.h"
#include "config/values.h"

namespace weir::config {

// A node with its dotted path, for messages.
struct Position {
    const Node& node;
    std::string path;
};

template <class T>
struct Type {
    // Reads into `into`; false after reporting why not.
    std::function<bool(const Position&, T& into, Reporter&)> read;
    std::string schema;  // JSON
};

namespace detail {
void report_unexpected(const Position& at, std::string_view expected, Reporter& reporter);
void report_unknown_key(const Node::Entry& entry,
                        const std::string& path,
                        const std::vector<std::string_view>& known,
                        Reporter& reporter);
std::string quote_json(std::string_view text);
std::string join_path(std::string_view path, std::string_view key);

template <class T>
Type<T> from_parser(Parsed<T> (*parse)(std::string_view), std::string schema) {
    return {[parse](const Position& at, T& into, Reporter& reporter) {
                if (at.node.kind != Node::Kind::scalar) {
                    report_unexpected(at, parse("").error(), reporter);
                    return false;
                }
                auto parsed = parse(at.node.text);
                if (!parsed) {
                    report_unexpected(at, parsed.error(), reporter);
                    return false;
                }
                into = *parsed;
                return true;
            },
            std::move(schema)};
}
}  // namespace detail

Type<std::string> text();
// Never quoted in a message; `writeOnly` in the schema.
Type<Secret> secret();
Type<bool> boolean();
Type<std::int64_t> integer(std::int64_t least, std::int64_t most);
Type<std::chrono::milliseconds> duration(std::chrono::milliseconds least,
                                         std::chrono::milliseconds most);
Type<Rate> rate();
Type<double> percent();
Type<std::uint64_t> size();
Type<Money> money();

// One of some words.
template <class E>
Type<E> word(std::vector<std::pair<std::string_view, E>> words) {
    std::string expected = "one of";
    std::string schema = "{\"enum\":[";
    for (std::size_t i = 0; i < words.size(); ++i) {
        expected += (i == 0 ? " " : ", ") + std::string(words[i].first);
        schema += (i == 0 ? "" : ",") + detail::quote_json(words[i].first);
    }
    return {[words = std::move(words), expected](const Position& at, E& into, Reporter& reporter) {
                for (const auto& [name, value] : words) {
                    if (at.node.kind == Node::Kind::scalar && at.node.text == name) {
                        into = value;
                        return true;
                    }
                }
                detail::report_unexpected(at, expected, reporter);
                return false;
            },
            schema + "]}"};
}

template <class T>
Type<std::optional<T>> optional(Type<T> inner) {
    std::string schema = inner.schema;
    return {
        [inner = std::move(inner)](const Position& at, std::optional<T>& into, Reporter& reporter) {
            T value{};
            if (!inner.read(at, value, reporter)) {
                return false;
            }
            into = std::move(value);
            return true;
        },
        std::move(schema)};
}

template <class T>
Type<std::vector<T>> list(Type<T> inner) {
    std::string schema = "{\"type\":\"array\",\"items\":" + inner.schema + "}";
    return {
        [inner = std::move(inner)](const Position& at, std::vector<T>& into, Reporter& reporter) {
            if (at.node.kind != Node::Kind::list) {
                detail::report_unexpected(at, "a list", reporter);
                return false;
            }
            into.clear();
            bool good = true;
            for (std::size_t i = 0; i < at.node.items.size(); ++i) {
                T value{};
                const Position inside{at.node.items[i], at.path + "[" + std::to_string(i) + "]"};
                good = inner.read(inside, value, reporter) && good;
                into.push_back(std::move(value));
            }
            return good;
        },
        std::move(schema)};
}

template <class T>
class Object {
public:
    // An absent key leaves the member's default.
    template <class M>
    Object& field(std::string_view key, M T::* member, Type<M> type, std::string_view doc) {
        return add(key, member, std::move(type), doc, false);
    }
    template <class M>
    Object& required(std::string_view key, M T::* member, Type<M> type, std::string_view doc) {
        return add(key, member, std::move(type), doc, true);
    }
    // The keys of `inner` stand among this object's own and fill `member`; its checks do not run.
    template <class M>
    Object& inlined(M T::* member, const Object<M>& inner) {
        for (const auto& field : inner.fields_) {
            fields_.push_back(
                {field.key,
                 field.doc,
                 field.needed,
                 field.schema,
                 [member, read = field.read](const Position& at, T& object, Reporter& reporter) {
                     return read(at, object.*member, reporter);
                 }});
        }
        return *this;
    }
    // Runs when all fields were read: `check(object, position, reporter)` reports what does not fit
    // together.
    Object& check(std::function<void(const T&, const Position&, Reporter&)> check) {
        checks_.push_back(std::move(check));
        return *this;
    }

    Type<T> type() const {
        std::string properties;
        std::string needed;
        for (const Field& field : fields_) {
            properties += (properties.empty() ? "" : ",") + detail::quote_json(field.key) +
                          ":{\"description\":" + detail::quote_json(field.doc) +
                          (field.schema == "{}" ? "" : ",") + field.schema.substr(1);
            if (field.needed) {
                needed += (needed.empty() ? "" : ",") + detail::quote_json(field.key);
            }
        }
        return {
            [fields = fields_, checks = checks_](const Position& at, T& into, Reporter& reporter) {
                return read(fields, checks, at, into, reporter);
            },
            "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" + properties +
                "}" + (needed.empty() ? "" : ",\"required\":[" + needed + "]") + "}"};
    }

private:
    template <class>
    friend class Object;

    struct Field {
        std::string_view key, doc;
        bool needed;
        std::string schema;
        std::function<bool(const Position&, T&, Reporter&)> read;
    };

    template <class M>
    Object& add(
        std::string_view key, M T::* member, Type<M> type, std::string_view doc, bool needed) {
        fields_.push_back({key,
                           doc,
                           needed,
                           type.schema,
                           [member, read = std::move(type.read)](
                               const Position& at, T& object, Reporter& reporter) {
                               return read(at, object.*member, reporter);
                           }});
        return *this;
    }

    static bool read(
        const std::vector<Field>& fields,
        const std::vector<std::function<void(const T&, const Position&, Reporter&)>>& checks,
        const Position& at,
        T& into,
        Reporter& reporter) {
        if (at.node.kind != Node::Kind::map) {
            detail::report_unexpected(at, "a map of keys", reporter);
            return false;
        }
        bool good = true;
        std::vector<std::string_view> known;
        for (const Field& field : fields) {
            known.push_back(field.key);
            const Node* node = at.node.find(field.key);
            if (node != nullptr) {
                const Position inside{*node, detail::join_path(at.path, field.key)};
                good = field.read(inside, into, reporter) && good;
            } else if (field.needed) {
                reporter.report(
                    at.node.place, detail::join_path(at.path, field.key), "this key is required");
                good = false;
            }
        }
        for (const auto& entry : at.node.entries) {
            if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
                detail::report_unknown_key(entry, at.path, known, reporter);
                good = false;
            }
        }
        if (good) {
            for (const auto& check : checks) {
                check(into, at, reporter);
            }
        }
        return good;
    }

    std::vector<Field> fields_;
    std::vector<std::function<void(const T&, const Position&, Reporter&)>> checks_;
};

}  // namespace weir::config
