#include "dialect/gemini/schema.h"

#include "dialect/gemini/fields.h"
#include "dialect/gemini/finish.h"
#include "dialect/json/value.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;

// 64-bit numbers, which Google's JSON may write as strings.
bool is_count(std::string_view key) {
    return is_field(key, "minLength") || is_field(key, "maxLength") || is_field(key, "minItems") ||
           is_field(key, "maxItems") || is_field(key, "minProperties") ||
           is_field(key, "maxProperties");
}

std::string camel_case(std::string_view key) {
    std::string camel;
    bool raise = false;
    for (const char c : key) {
        if (c == '_') {
            raise = true;
            continue;
        }
        camel += raise && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        raise = false;
    }
    return camel;
}

// The scanner bounds the depth.
void write_schema(Value schema, json::Writer& json);

void write_type(Value type, bool nullable, json::Writer& json) {
    json.key("type");
    if (!type.is_string()) {
        json.raw(type.json());  // already a list, as JSON Schema has it
        return;
    }
    const std::string word = lower_case(*type.string());
    if (nullable) {
        json.array().string(word).string("null").end_array();
    } else {
        json.string(word);
    }
}

void write_enum(Value values, bool nullable, json::Writer& json) {
    json.key("enum").array();
    for (const Value value : values) {
        json.raw(value.json());
    }
    if (nullable) {
        json.null();
    }
    json.end_array();
}

void write_member(Value member, bool nullable, json::Writer& json) {
    const std::string key = camel_case(member.key());
    if (key == "nullable" || key == "propertyOrdering" ||
        (key == "format" && member.equals("enum"))) {
        return;
    }
    if (key == "type") {
        if (!member.equals("TYPE_UNSPECIFIED")) {
            write_type(member, nullable, json);
        }
    } else if (key == "enum" && member.is_array()) {
        write_enum(member, nullable, json);
    } else if (key == "properties" && member.is_object()) {
        json.key(key).object();
        for (const Value property : member) {
            json.key(property.key());
            write_schema(property, json);
        }
        json.end_object();
    } else if (key == "anyOf" && member.is_array()) {
        json.key(key).array();
        for (const Value choice : member) {
            write_schema(choice, json);
        }
        json.end_array();
    } else if (key == "items") {
        json.key(key);
        write_schema(member, json);
    } else if (key == "example") {
        json.key("examples").array().raw(member.json()).end_array();
    } else if (is_count(key) && member.is_string() && json::read_integer(*member.string())) {
        json.raw_field(key, *member.string());
    } else {
        // "$ref" and the like keep their names, as do keywords of JSON Schema that got in here.
        json.raw_field(key, member.json());
    }
}

void write_schema(Value schema, json::Writer& json) {
    if (!schema.is_object()) {
        json.raw(schema.json());
        return;
    }
    const bool nullable = schema["nullable"].boolean().value_or(false);
    json.object();
    for (const Value member : schema) {
        if (!member.is_null() || member.key() == "default") {
            write_member(member, nullable, json);
        }
    }
    json.end_object();
}

}  // namespace

std::string json_schema_of(Value schema) {
    std::string out;
    json::Writer json(out);
    write_schema(schema, json);
    return out;
}

}  // namespace weir::dialect::gemini
