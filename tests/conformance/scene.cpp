#include "scene.h"

#include <fmt/format.h>

#include <map>
#include <memory>

namespace weir::conformance {

const CaseFile& case_of(std::string_view feature) {
    static std::map<std::string, std::unique_ptr<CaseFile>, std::less<>> cases;
    auto found = cases.find(feature);
    if (found == cases.end()) {
        auto read = read_case(fmt::format("{}/cases/{}.case", WEIR_CONFORMANCE_FOLDER, feature));
        WEIR_ASSERT(read.has_value());
        found = cases.emplace(feature, std::make_unique<CaseFile>(std::move(*read))).first;
    }
    return *found->second;
}

const Section& section_of(const CaseFile& file,
                          std::string_view kind,
                          llm::Dialect dialect,
                          std::string_view name) {
    const Section* found = nullptr;
    for (const Section* section : file.all(kind, dialect)) {
        if (section->option("name") == name) {
            found = section;
        }
    }
    WEIR_ASSERT(found != nullptr);
    return *found;
}

Json answer_in(std::string_view feature, Pair pair, std::string_view name) {
    const CaseFile& file = case_of(feature);
    const auto told =
        Exchange(pair, file).answer(section_of(file, "answer", pair.provider, name).body);
    return told ? Json::parse(told->body) : Json(told.error().detail());
}

Streamed stream_in(std::string_view feature, Pair pair, std::string_view name) {
    const CaseFile& file = case_of(feature);
    const std::string& body = section_of(file, "stream", pair.provider, name).body;
    return Exchange(pair, file).stream(body, body.size(), body.size());
}

std::vector<Json> events_of(std::string_view stream) {
    std::vector<Json> events;
    constexpr std::string_view kData = "data: ";
    for (std::size_t at = 0; at < stream.size();) {
        const auto end = std::min(stream.find('\n', at), stream.size());
        const std::string_view line = stream.substr(at, end - at);
        at = end + 1;
        if (line.starts_with(kData) && !line.starts_with("data: [DONE]")) {
            events.push_back(Json::parse(line.substr(kData.size())));
        }
    }
    return events;
}

Result<Json> upstream(Pair pair, const Json& body, std::string_view model) {
    CaseFile file;
    file.sections.push_back(
        {.kind = "request", .dialect = pair.client, .options = {}, .body = body.dump()});
    file.sections.push_back({.kind = "target",
                             .dialect = pair.provider,
                             .options = {{"model", std::string(model)}},
                             .body = {}});
    WEIR_TRY(const auto sent, Exchange(pair, file).send(false));
    return Json::parse(sent.body);
}

std::vector<Pair> all_pairs() {
    std::vector<Pair> pairs;
    for (const llm::Dialect client : kDialects) {
        for (const llm::Dialect provider : kDialects) {
            if (client != provider) {
                pairs.push_back({.client = client, .provider = provider});
            }
        }
    }
    return pairs;
}

std::vector<Pair> pairs_from(llm::Dialect client) {
    auto pairs = all_pairs();
    std::erase_if(pairs, [client](Pair pair) { return pair.client != client; });
    return pairs;
}

std::vector<Pair> pairs_to(llm::Dialect provider) {
    auto pairs = all_pairs();
    std::erase_if(pairs, [provider](Pair pair) { return pair.provider != provider; });
    return pairs;
}

std::string name_of(Pair pair) {
    return fmt::format("{} on {}", llm::name(pair.client), llm::name(pair.provider));
}

}  // namespace weir::conformance
