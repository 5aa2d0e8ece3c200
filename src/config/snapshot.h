// A whole configuration, immutable: one value per section, found by its type. Each feature declares
// its own section; here they only meet.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "base/assert.h"
#include "config/types.h"

namespace weir::config {

class Snapshot;

// A top-level key and the type that it fills.
struct Section {
    std::string_view key;
    std::string_view doc;
    std::string schema;
    std::function<void(const Node* node, Snapshot& into, Reporter&)>
        read;  // null: absent, defaults
};

class Snapshot {
public:
    template <class T>
    const T& get() const {
        const auto found = sections_.find(typeid(T));
        WEIR_ASSERT(found != sections_.end());
        return *static_cast<const T*>(found->second.get());
    }
    template <class T>
    void put(T value) {
        sections_[typeid(T)] = std::make_shared<const T>(std::move(value));
    }

private:
    std::map<std::type_index, std::shared_ptr<const void>> sections_;
};

template <class T>
Section section(std::string_view key, std::string_view doc, Type<T> type, T defaults = {}) {
    return {key,
            doc,
            type.schema,
            [key, read = std::move(type.read), defaults = std::move(defaults)](
                const Node* node, Snapshot& into, Reporter& reporter) {
                T value = defaults;
                if (node != nullptr && node->kind != Node::Kind::null) {
                    read(Position{*node, std::string(key)}, value, reporter);
                }
                into.put(std::move(value));
            }};
}

struct Loaded {
    std::shared_ptr<const Snapshot> snapshot;  // null where there are errors
    std::vector<Diagnostic> errors;
};
// Reads `text`; `file` is only for messages. Every error is listed, not only the first.
Loaded load(const std::vector<Section>& sections,
            std::string_view text,
            std::string file,
            const Lookup& lookup);

// JSON Schema (draft 2020-12) of the whole file, for editors.
std::string json_schema(const std::vector<Section>& sections);

}  // namespace weir::config
