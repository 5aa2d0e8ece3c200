// A JSON text taken apart into values that know their place in it, for where a call is translated:
// nothing is copied or converted until asked for, so numbers and nested schemas can be passed on as
// they came. Built by one scan, which checks the grammar, UTF-8, depth and duplicate keys.
//
// A Document is used again and again (one per codec): its memory is kept. The text must outlive the
// values; values are valid until the next parse.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/json/scanner.h"

namespace weir::dialect::json {

class Document;

// A value, or none: looking into what is not there gives none, so that optional fields read in one
// line.
class Value {
public:
    Value() = default;

    explicit operator bool() const { return document_ != nullptr; }
    bool is(Kind kind) const { return document_ != nullptr && this->kind() == kind; }
    bool is_null() const { return is(Kind::null); }
    bool is_object() const { return is(Kind::object); }
    bool is_array() const { return is(Kind::array); }
    bool is_string() const { return is(Kind::string); }
    bool is_number() const { return is(Kind::number); }
    // There, and not null: many APIs send null for what they do not say.
    bool has_value() const { return document_ != nullptr && kind() != Kind::null; }
    Kind kind() const;  // of a value that is there

    // The member of an object; none where this is no object or has no such key.
    Value operator[](std::string_view key) const;
    std::string_view key() const;   // of a member, unescaped; empty in arrays
    std::string_view json() const;  // its text; empty: none
    Span span() const;
    std::size_t size() const;  // members of an array or object, else 0

    // The readings are unset where the value is none or of another kind.
    std::optional<std::string> string() const;
    std::string string_or(std::string_view fallback) const;
    // Without a copy where nothing is escaped; else in `aside`. Empty where this is no string.
    std::string_view view(std::string& aside) const;
    bool equals(std::string_view text) const;     // a string of exactly these words
    std::optional<std::int64_t> integer() const;  // also 3.0 and 1e3
    std::optional<double> number() const;
    std::optional<bool> boolean() const;

    // Where it stands, for messages: "messages[3].content[0].image_url".
    std::string path() const;

    class Iterator {
    public:
        Value operator*() const { return {document_, at_}; }
        Iterator& operator++();
        bool operator==(const Iterator& other) const { return at_ == other.at_; }

    private:
        friend class Value;
        Iterator(const Document* document, std::uint32_t at) : document_(document), at_(at) {}
        const Document* document_;
        std::uint32_t at_;
    };
    // The members of an array or object; nothing for anything else.
    Iterator begin() const;
    Iterator end() const;

private:
    friend class Document;
    Value(const Document* document, std::uint32_t at) : document_(document), at_(at) {}
    const Document* document_ = nullptr;
    std::uint32_t at_ = 0;
};

class Document {
public:
    explicit Document(std::uint64_t seed = 0) : scratch_(seed) {}
    Document(const Document&) = delete;

    // The outermost value. Errors: invalid_json with the byte offset of the fault.
    Result<Value> parse(std::string_view text, Duplicates duplicates);

private:
    friend class Value;
    friend class Value::Iterator;
    struct Builder;
    struct Node {
        Kind kind;
        std::uint32_t next;  // behind it and all that is inside
        std::uint32_t size;  // members
        std::string_view key;
        Span span;
    };
    std::string_view text_;
    Scratch scratch_;
    std::vector<Node> nodes_;
    std::deque<std::string> keys_;  // those with escapes
};

// An object of only those members of `object` that have one of `names`, as they came. What is no
// object stays as it is.
std::string pick(std::string_view object, std::span<const std::string_view> names);

}  // namespace weir::dialect::json
