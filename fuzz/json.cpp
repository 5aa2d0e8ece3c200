// Any bytes: never a crash; what is accepted has spans inside the text, and its strings survive
// being unescaped and escaped again.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "dialect/json/scanner.h"
#include "dialect/json/value.h"

namespace {

using namespace weir::dialect::json;

struct Checker {
    std::string_view text;
    std::size_t last_end = 0;
    int open(int scope, std::string_view, Kind) { return scope < 4 ? scope + 1 : kIgnored; }
    void close(int, Span span) { WEIR_ASSERT(span.size >= 2 && span.end() <= text.size()); }
    void scalar(int, std::string_view, Kind kind, Span span) {
        WEIR_ASSERT(span.size > 0 && span.end() <= text.size() && span.at >= last_end);
        last_end = span.end();
        if (kind == Kind::string) {
            const std::string once = read_string(span.in(text));
            std::string quoted = "\"";
            append_escaped(quoted, once);
            quoted += '"';
            WEIR_ASSERT(read_string(quoted) == once);
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Scratch scratch;
    Checker checker{text};
    const auto strict = scan(text, Duplicates::refused, scratch, checker);
    checker.last_end = 0;
    const auto loose = scan(text, Duplicates::allowed, scratch, checker);
    WEIR_ASSERT(!strict || loose);
    return 0;
}
