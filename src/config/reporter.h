// Collects everything that is wrong with a configuration, each with its place, so that a person
// fixes it in one go.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::config {

struct Place {
    int line = 0;  // from 1; 0: no line (a key that is missing altogether)
    int column = 0;
};

struct Diagnostic {
    std::string file;
    Place place;
    std::string key;      // dotted: providers[1].kind
    std::string message;  // what was expected
};
// "weir.yaml:12: providers[1].kind: expected …"
std::string to_text(const Diagnostic& diagnostic);

class Reporter {
public:
    explicit Reporter(std::string file) : file_(std::move(file)) {}
    void report(Place place, std::string key, std::string message);
    bool has_errors() const { return !found_.empty(); }
    // In the order of the file.
    std::vector<Diagnostic> take();

private:
    std::string file_;
    std::vector<Diagnostic> found_;
};

}  // namespace weir::config
