// Any bytes as a compressed body, whole and in pieces: the same comes out, never more than may, and
// whoever says that all is well has seen the end. The first byte says which coding and where to
// cut.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "net/inflate.h"

namespace {

using namespace weir;

constexpr std::uint64_t kPlainMax = 1u << 20;

// "!": it was refused; then nothing of what came before counts.
std::string inflate(std::string_view bytes, net::Coding coding, std::size_t piece) {
    net::Inflater inflater(coding, kPlainMax);
    std::string plain;
    while (!bytes.empty()) {
        inflater.feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (;;) {
            const auto next = inflater.next();
            if (!next) {
                return "!";
            }
            if (next->empty()) {
                break;
            }
            plain += *next;
        }
    }
    WEIR_ASSERT(plain.size() <= kPlainMax);
    return inflater.finish() ? "ok " + plain : "!";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto coding = data[0] % 2 == 0 ? net::Coding::gzip : net::Coding::deflate;
    const std::string whole = inflate(bytes, coding, bytes.size() + 1);
    WEIR_ASSERT(whole == inflate(bytes, coding, 1u + data[0] / 2u));
    return 0;
}
