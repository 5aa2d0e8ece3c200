// CRC-32 as gzip and AWS have it (polynomial 0xEDB88320, reflected). Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::dialect::aws {

// The checksum of what came before, `begun`, and `bytes` after it. Of nothing: 0.
std::uint32_t crc32(std::string_view bytes, std::uint32_t begun = 0);

}  // namespace weir::dialect::aws
