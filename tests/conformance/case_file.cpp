#include "case_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>

namespace weir::conformance {
namespace {

constexpr std::string_view kMark = "=== ";

std::optional<llm::Dialect> read_dialect(std::string_view word) {
    for (const llm::Dialect dialect : kDialects) {
        if (llm::name(dialect) == word) {
            return dialect;
        }
    }
    return std::nullopt;
}

std::string_view take_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

std::optional<Section> read_heading(std::string_view line) {
    line.remove_prefix(kMark.size());
    Section section{.kind = std::string(take_word(line))};
    const auto dialect = read_dialect(take_word(line));
    static constexpr std::string_view kKinds[] = {"target", "request", "answer", "stream", "error"};
    if (!dialect ||
        std::find(std::begin(kKinds), std::end(kKinds), section.kind) == std::end(kKinds)) {
        return std::nullopt;
    }
    section.dialect = *dialect;
    while (!line.empty()) {
        const std::string_view word = take_word(line);
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) {
            return std::nullopt;
        }
        section.options.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
    return section;
}

// As Google ends its lines.
std::string with_crlf(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += '\r';
        }
        out += c;
    }
    return out;
}

}  // namespace

std::string_view Section::option(std::string_view name) const {
    const auto found = options.find(name);
    return found == options.end() ? std::string_view{} : std::string_view(found->second);
}

std::string Section::title() const {
    const std::string_view name = option("name");
    return name.empty() ? kind : fmt::format("{} ({})", kind, name);
}

const Section* CaseFile::find(std::string_view kind, llm::Dialect dialect) const {
    const auto found = all(kind, dialect);
    return found.empty() ? nullptr : found.front();
}

std::vector<const Section*> CaseFile::all(std::string_view kind, llm::Dialect dialect) const {
    std::vector<const Section*> found;
    for (const Section& section : sections) {
        if (section.kind == kind && section.dialect == dialect) {
            found.push_back(&section);
        }
    }
    return found;
}

Result<CaseFile> read_case(const std::string& path) {
    std::ifstream in(path);
    if (!in) {
        return fail(Code::invalid_config, fmt::format("{}: cannot be read", path));
    }
    CaseFile file{.name = std::filesystem::path(path).stem().string(), .sections = {}};
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.starts_with(kMark)) {
            auto section = read_heading(line);
            if (!section) {
                return fail(Code::invalid_config,
                            fmt::format("{}:{}: no such section: {}", path, number, line));
            }
            file.sections.push_back(std::move(*section));
        } else if (!file.sections.empty()) {
            file.sections.back().body += line + '\n';
        }
    }
    for (Section& section : file.sections) {
        if (section.kind == "stream" && section.dialect == llm::Dialect::gemini) {
            section.body = with_crlf(section.body);
        }
    }
    return file;
}

}  // namespace weir::conformance
