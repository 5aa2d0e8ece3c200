// What this program calls itself.
#pragma once

#include <string_view>

namespace weir::app {

inline constexpr std::string_view kVersion = WEIR_VERSION;

}  // namespace weir::app
