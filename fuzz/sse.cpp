// Server-sent events: a cut anywhere changes nothing.
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "dialect/sse/decoder.h"

namespace {

std::vector<std::string> run(std::string_view bytes, std::size_t cut) {
    using namespace weir::dialect::sse;
    Decoder decoder;
    std::vector<std::string> events;
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        const std::string copy(part);
        decoder.feed(copy);
        Event event;
        for (auto more = decoder.next(event); more && *more; more = decoder.next(event)) {
            events.push_back(std::string(event.kind == Event::Kind::comment ? "c" : "m") +
                             std::string(event.name) + "|" + std::string(event.data));
        }
    }
    return events;
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
