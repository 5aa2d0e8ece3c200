#include "dialect/data_url.h"

namespace weir::dialect {

std::optional<DataUrl> parse_data_url(std::string_view url) {
    constexpr std::string_view kScheme = "data:";
    constexpr std::string_view kBase64 = ";base64";
    const std::size_t comma = url.find(',');
    if (!url.starts_with(kScheme) || comma == std::string_view::npos) {
        return std::nullopt;
    }
    std::string_view type = url.substr(kScheme.size(), comma - kScheme.size());
    if (!type.ends_with(kBase64)) {
        return std::nullopt;
    }
    type.remove_suffix(kBase64.size());
    // Parameters such as charset say nothing about media.
    return DataUrl{.mime = type.substr(0, type.find(';')), .data = url.substr(comma + 1)};
}

std::string make_data_url(std::string_view mime, std::string_view base64) {
    std::string url = "data:";
    url += mime.empty() ? "application/octet-stream" : mime;
    url += ";base64,";
    url += base64;
    return url;
}

}  // namespace weir::dialect
