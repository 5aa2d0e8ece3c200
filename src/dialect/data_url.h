// "data:image/png;base64,…": media that comes inline. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::dialect {

struct DataUrl {
    std::string_view mime;  // empty: not said
    std::string_view data;  // base64, not judged
};
inline bool is_data_url(std::string_view url) { return url.starts_with("data:"); }
// nullopt: no data URL, or one that is not base64. Views into `url`.
std::optional<DataUrl> parse_data_url(std::string_view url);
std::string make_data_url(std::string_view mime, std::string_view base64);

}  // namespace weir::dialect
