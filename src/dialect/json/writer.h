// Writes JSON into a string: commas and escapes are its business, order and meaning the caller's.
// Nothing is checked but that the text is what was asked for.
//
//   Writer json(out);
//   json.object().field("type", "text").field("text", words).end_object();
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "dialect/json/value.h"

namespace weir::dialect::json {

class Writer {
public:
    explicit Writer(std::string& out) : out_(out) {}

    Writer& object() { return open('{'); }
    Writer& end_object() { return close('}'); }
    Writer& array() { return open('['); }
    Writer& end_array() { return close(']'); }

    Writer& key(std::string_view name) {
        separate();
        quote(name);
        out_ += ':';
        needs_comma_ = false;
        return *this;
    }
    Writer& string(std::string_view text) {
        separate();
        quote(text);
        return *this;
    }
    // A JSON value, as it is.
    Writer& raw(std::string_view json) {
        separate();
        out_ += json;
        return *this;
    }
    Writer& integer(std::int64_t value) {
        separate();
        fmt::format_to(std::back_inserter(out_), "{}", value);
        return *this;
    }
    // The shortest text that reads back as the same number.
    Writer& number(double value) {
        separate();
        fmt::format_to(std::back_inserter(out_), "{}", value);
        return *this;
    }
    Writer& boolean(bool value) { return raw(value ? "true" : "false"); }
    Writer& null() { return raw("null"); }

    Writer& field(std::string_view name, std::string_view text) { return key(name).string(text); }
    Writer& field(std::string_view name, const char* text) {
        return key(name).string(std::string_view(text));
    }
    Writer& field(std::string_view name, std::int64_t value) { return key(name).integer(value); }
    Writer& field(std::string_view name, double value) { return key(name).number(value); }
    Writer& field(std::string_view name, bool value) { return key(name).boolean(value); }
    Writer& raw_field(std::string_view name, std::string_view json) { return key(name).raw(json); }
    // Only where there is something to say.
    Writer& field_unless_empty(std::string_view name, std::string_view text) {
        return text.empty() ? *this : field(name, text);
    }

private:
    Writer& open(char bracket) {
        separate();
        out_ += bracket;
        needs_comma_ = false;
        return *this;
    }
    Writer& close(char bracket) {
        out_ += bracket;
        needs_comma_ = true;
        return *this;
    }
    void separate() {
        if (needs_comma_) {
            out_ += ',';
        }
        needs_comma_ = true;
    }
    void quote(std::string_view text) {
        out_ += '"';
        append_escaped(out_, text);
        out_ += '"';
    }

    std::string& out_;
    bool needs_comma_ = false;
};

}  // namespace weir::dialect::json
