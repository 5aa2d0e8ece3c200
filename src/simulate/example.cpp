#include "simulate/example.h"

#include <nlohmann/json.hpp>

namespace weir::simulate {
namespace {

using Json = nlohmann::ordered_json;

// Schemas may refer to themselves.
constexpr int kDepthMax = 16;

struct Example {
    const Json& root;

    Json of(const Json& schema, int depth) const {
        if (!schema.is_object() || depth == kDepthMax) {
            return nullptr;
        }
        if (const auto reference = schema.find("$ref"); reference != schema.end()) {
            return of(resolve(*reference), depth + 1);
        }
        if (const auto fixed = schema.find("const"); fixed != schema.end()) {
            return *fixed;
        }
        if (const auto choices = schema.find("enum");
            choices != schema.end() && choices->is_array() && !choices->empty()) {
            return choices->front();
        }
        for (const char* key : {"anyOf", "oneOf", "allOf"}) {
            if (const auto forms = schema.find(key);
                forms != schema.end() && forms->is_array() && !forms->empty()) {
                return of(forms->front(), depth + 1);
            }
        }
        return of_type(type_of(schema), schema, depth);
    }

private:
    static std::string type_of(const Json& schema) {
        const auto type = schema.find("type");
        if (type == schema.end()) {
            return schema.contains("properties") ? "object" : "string";
        }
        if (type->is_array()) {
            return type->empty() ? "null" : type->front().get<std::string>();
        }
        return type->is_string() ? type->get<std::string>() : "null";
    }

    Json resolve(const Json& reference) const {
        if (!reference.is_string() || !reference.get<std::string>().starts_with("#/")) {
            return nullptr;
        }
        const Json::json_pointer pointer(reference.get<std::string>().substr(1));
        return root.contains(pointer) ? root.at(pointer) : Json();
    }

    Json of_type(const std::string& type, const Json& schema, int depth) const {
        if (type == "object") {
            Json made = Json::object();
            const auto properties = schema.find("properties");
            if (properties != schema.end() && properties->is_object()) {
                for (const auto& [name, property] : properties->items()) {
                    made[name] = of(property, depth + 1);
                }
            }
            return made;
        }
        if (type == "array") {
            Json made = Json::array();
            if (schema.contains("items")) {
                made.push_back(of(schema["items"], depth + 1));
            }
            return made;
        }
        if (type == "integer" || type == "number") {
            return schema.contains("minimum") ? schema["minimum"] : Json(1);
        }
        if (type == "boolean") {
            return true;
        }
        return type == "null" ? Json() : Json("river");
    }
};

}  // namespace

std::string example_of(std::string_view schema) {
    const Json root = Json::parse(schema, nullptr, false);
    if (root.is_discarded()) {
        return "{}";
    }
    const Json made = Example{root}.of(root, 0);
    return made.is_null() ? "{}" : made.dump();
}

}  // namespace weir::simulate
