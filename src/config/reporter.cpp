#include "config/reporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace weir::config {
namespace {
constexpr std::size_t kDiagnosticsMax =
    100;  // a file that is wrong everywhere need not say so a million times
}

std::string to_text(const Diagnostic& diagnostic) {
    std::string text = diagnostic.file;
    if (diagnostic.place.line > 0) {
        text += fmt::format(":{}", diagnostic.place.line);
    }
    text += ": ";
    if (!diagnostic.key.empty()) {
        text += diagnostic.key + ": ";
    }
    return text + diagnostic.message;
}

void Reporter::report(Place place, std::string key, std::string message) {
    if (found_.size() < kDiagnosticsMax) {
        found_.push_back({file_, place, std::move(key), std::move(message)});
    }
}

std::vector<Diagnostic> Reporter::take() {
    std::sort(found_.begin(), found_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.place.line, a.place.column, a.key) <
               std::tie(b.place.line, b.place.column, b.key);
    });
    // What an unset variable would have been cannot be judged: of two faults of one place that
    // begin there, the one about the text itself comes first and is enough.
    found_.erase(std::unique(found_.begin(),
                             found_.end(),
                             [](const Diagnostic& a, const Diagnostic& b) {
                                 return a.place.line > 0 && a.place.line == b.place.line &&
                                        a.place.column == b.place.column && a.key.empty();
                             }),
                 found_.end());
    return std::move(found_);
}

}  // namespace weir::config
