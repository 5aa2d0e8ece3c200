#include "config/snapshot.h"

namespace weir::config {

Loaded load(const std::vector<Section>& sections,
            std::string_view text,
            std::string file,
            const Lookup& lookup) {
    Reporter reporter(std::move(file));
    auto snapshot = std::make_shared<Snapshot>();
    if (const auto root = parse_document(text, lookup, reporter)) {
        std::vector<std::string_view> known;
        for (const Section& section : sections) {
            known.push_back(section.key);
            section.read(root->find(section.key), *snapshot, reporter);
        }
        for (const auto& entry : root->entries) {
            if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
                detail::report_unknown_key(entry, "", known, reporter);
            }
        }
    }
    if (reporter.has_errors()) {
        return {nullptr, reporter.take()};
    }
    return {std::move(snapshot), {}};
}

std::string json_schema(const std::vector<Section>& sections) {
    std::string properties;
    for (const Section& section : sections) {
        properties += (properties.empty() ? "" : ",") + detail::quote_json(section.key) +
                      ":{\"description\":" + detail::quote_json(section.doc) + "," +
                      section.schema.substr(1);
    }
    return "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"weir.yaml\","
           "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" +
           properties + "}}";
}

}  // namespace weir::config
