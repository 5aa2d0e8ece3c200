// Request heads and chunked bodies: never a crash, and a cut anywhere changes nothing.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "net/http_body.h"
#include "net/http_head.h"

namespace {

struct Outcome {
    int state = 0;  // 0 more needed, 1 done, 2 refused
    std::size_t size = 0;
    std::size_t fields = 0;
    std::string path, payload;
    bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view bytes, std::size_t cut) {
    using namespace weir::net;
    Outcome outcome;
    RequestHeadParser parser;
    std::string moved;
    weir::Result<bool> parsed = false;
    for (const std::size_t end : {cut, bytes.size()}) {
        moved = bytes.substr(0, end);  // a new place each time
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
    moved = bytes;
    parser.rebase(moved);
    outcome.path = parser.head().path;
    outcome.fields = parser.head().fields.size();
    BodyScanner body = BodyScanner::of_request(parser.head());
    const std::string_view rest = bytes.substr(parser.size());
    const std::size_t body_cut = cut < rest.size() ? cut : rest.size();
    for (const auto part : {rest.substr(0, body_cut), rest.substr(body_cut)}) {
        const auto step = body.scan(part, [&](std::string_view span) { outcome.payload += span; });
        if (!step) {
            outcome.state = 2;
            outcome.payload.clear();
            outcome.size = 0;
            return outcome;
        }
        outcome.size += step->used;
        if (step->done) {
            outcome.state = 1;
            break;
        }
    }
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::size_t cut_at = data[0] | data[1] << 8;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const Outcome whole = run(bytes, bytes.size());
    const Outcome split = run(bytes, cut_at % (bytes.size() + 1));
    WEIR_ASSERT(whole == split);
    return 0;
}
