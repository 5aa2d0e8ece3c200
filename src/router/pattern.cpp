#include "router/pattern.h"

#include <fmt/format.h>
#include <re2/re2.h>

namespace weir::router {
namespace {

// For the compiled form and its states together.
constexpr std::int64_t kPatternMemoryMax = 1 << 20;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

Result<Pattern> Pattern::make(std::string_view expression) {
    if (expression.size() > kPatternBytesMax) {
        return fail(Code::invalid_config,
                    fmt::format("a regular expression has at most {} bytes", kPatternBytesMax));
    }
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(kPatternMemoryMax);
    // A header's bytes are no UTF-8 for certain.
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    auto compiled = std::make_shared<const re2::RE2>(piece(expression), options);
    if (!compiled->ok()) {
        return fail(
            Code::invalid_config,
            fmt::format("'{}' is no regular expression of RE2: {}", expression, compiled->error()));
    }
    return Pattern(std::move(compiled));
}

bool Pattern::is_found_in(std::string_view text) const {
    return re2::RE2::PartialMatch(piece(text), *expression_);
}

std::string_view Pattern::expression() const { return expression_->pattern(); }

}  // namespace weir::router
