#include "dialect/aws/crc32.h"

#include <array>
#include <bit>
#include <cstring>

namespace weir::dialect::aws {
namespace {

constexpr std::uint32_t kPolynomial = 0xedb88320u;
constexpr std::size_t kSlices = 8;

// kTables[n][b]: what byte b does to the sum when n bytes come after it. Eight bytes a step instead
// of one: every event of a stream is summed whole.
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t sum = byte;
        for (int bit = 0; bit < 8; ++bit) {
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
        }
        tables[0][byte] = sum;
    }
    for (std::size_t slice = 1; slice < kSlices; ++slice) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][before & 0xff];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32(std::string_view bytes, std::uint32_t begun) {
    static_assert(std::endian::native == std::endian::little);
    std::uint32_t sum = ~begun;
    while (bytes.size() >= kSlices) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        word ^= sum;
        sum = 0;
        for (std::size_t i = 0; i < kSlices; ++i) {
            sum ^= kTables[kSlices - 1 - i][(word >> (8 * i)) & 0xff];
        }
        bytes.remove_prefix(kSlices);
    }
    for (const char c : bytes) {
        sum = (sum >> 8) ^ kTables[0][(sum ^ static_cast<unsigned char>(c)) & 0xff];
    }
    return ~sum;
}

}  // namespace weir::dialect::aws
