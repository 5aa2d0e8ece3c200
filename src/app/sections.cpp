#include "app/sections.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "provider/section.h"
#include "runtime/sections.h"
#include "server/section.h"

namespace weir::app {
namespace {

config::Section storage_section() {
    config::Object<StorageSection> storage;
    config::Type<std::string> url{
        [](const config::Position& at, std::string& into, config::Reporter& reporter) {
            constexpr std::string_view kSqlite = "sqlite:";
            if (at.node.kind != config::Node::Kind::scalar || !at.node.text.starts_with(kSqlite) ||
                at.node.text.size() == kSqlite.size()) {
                config::detail::report_unexpected(
                    at, "sqlite: and a file, such as sqlite:weir.db", reporter);
                return false;
            }
            into = at.node.text.substr(kSqlite.size());
            return true;
        },
        R"({"type":"string","pattern":"^sqlite:.+"})"};
    storage.field("url",
                  &StorageSection::sqlite_file,
                  std::move(url),
                  "the database; sqlite:weir.db under the data folder unless set");
    return config::section<StorageSection>(
        "storage", "where keys and usage are kept", storage.type());
}

config::Section ledger_section() {
    config::Object<LedgerSection> ledger;
    ledger
        .field("max_bytes",
               &LedgerSection::journal_bytes_max,
               config::size(),
               "how far the journal may grow while the database is away; then calls are refused; "
               "1GiB unless set")
        .check([](const LedgerSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            constexpr std::uint64_t kLeast = 64u << 20;
            if (section.journal_bytes_max < kLeast) {
                reporter.report(at.node.place, at.path + ".max_bytes", "expected at least 64MiB");
            }
        });
    return config::section<LedgerSection>("ledger", "the journal of usage", ledger.type());
}

config::Section log_section() {
    config::Object<LogSection> log;
    log.field("access",
              &LogSection::access,
              config::text(),
              "where the access log goes: stdout, stderr, off, or a file; stderr unless set");
    return config::section<LogSection>("log", "what Weir says about its calls", log.type());
}

}  // namespace

std::vector<config::Section> all_sections() {
    std::vector<config::Section> sections{
        server::server_section(), storage_section(), ledger_section(), log_section()};
    for (config::Section& section : runtime::sections()) {
        sections.push_back(std::move(section));
    }
    return sections;
}

Result<Configuration> load_configuration(const std::string& file,
                                         const config::Lookup& environment) {
    std::string text;
    if (!file.empty()) {
        std::ifstream in(file, std::ios::binary);
        if (!in) {
            return fail(Code::invalid_config,
                        fmt::format("Cannot read '{}': {}.", file, std::strerror(errno)));
        }
        text.assign(std::istreambuf_iterator<char>(in), {});
        if (in.bad()) {
            return fail(Code::invalid_config, fmt::format("Cannot read '{}'.", file));
        }
    }
    const std::string name = file.empty() ? "defaults" : file;
    auto loaded = config::load(all_sections(), text, name, environment);
    if (loaded.errors.empty()) {
        loaded.errors = runtime::check(*loaded.snapshot, name);
    }
    if (!loaded.errors.empty()) {
        return Configuration{.snapshot = nullptr, .errors = std::move(loaded.errors)};
    }
    return Configuration{.snapshot = std::move(loaded.snapshot), .errors = {}};
}

}  // namespace weir::app
