// Answers of an upstream, head and body of any framing: never a crash, and a cut anywhere changes
// nothing.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "net/http_body.h"
#include "net/http_head.h"

namespace {

struct Outcome {
    int state = 0;
    std::size_t used = 0;
    int status = 0;
    std::string payload;
    bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view bytes, std::size_t cut) {
    using namespace weir::net;
    Outcome outcome;
    ResponseHeadParser parser;
    parser.reset(Method::post);
    std::string moved;
    weir::Result<bool> parsed = false;
    for (const std::size_t end : {cut, bytes.size()}) {
        moved = bytes.substr(0, end);
        parsed = parser.parse(moved);
        if (!parsed) {
            outcome.state = 2;
            return outcome;
        }
        if (*parsed) {
            break;
        }
    }
    if (!*parsed) {
        return outcome;
    }
    outcome.status = parser.head().status;
    BodyScanner body = BodyScanner::of_response(parser.head());
    const std::string_view rest = bytes.substr(parser.size());
    const std::size_t body_cut = cut < rest.size() ? cut : rest.size();
    for (const auto part : {rest.substr(0, body_cut), rest.substr(body_cut)}) {
        if (body.is_done()) {
            break;
        }
        const auto step = body.scan(part, [&](std::string_view span) { outcome.payload += span; });
        if (!step) {
            outcome.state = 2;
            outcome.payload.clear();
            outcome.used = 0;
            return outcome;
        }
        outcome.used += step->used;
    }
    outcome.state = body.is_done() ? 1 : 0;
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::size_t cut_at = data[0] | data[1] << 8;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    WEIR_ASSERT(run(bytes, bytes.size()) == run(bytes, cut_at % (bytes.size() + 1)));
    return 0;
}
