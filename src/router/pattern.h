// A regular expression of the configuration. Matching takes time linear in the text, whatever the
// expression: the engine never backtracks. Immutable, cheap to copy; any thread.
#pragma once

#include <memory>
#include <string_view>

#include "base/error.h"

namespace re2 {
class RE2;
}

namespace weir::router {

inline constexpr std::size_t kPatternBytesMax = 1024;

class Pattern {
public:
    // Errors: invalid_config, with what is wrong with it.
    static Result<Pattern> make(std::string_view expression);
    // Anywhere in `text`, unless the expression begins with ^ or ends with $.
    bool is_found_in(std::string_view text) const;
    std::string_view expression() const;

private:
    explicit Pattern(std::shared_ptr<const re2::RE2> expression)
        : expression_(std::move(expression)) {}
    std::shared_ptr<const re2::RE2> expression_;
};

}  // namespace weir::router
