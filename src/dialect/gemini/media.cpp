#include "dialect/gemini/media.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/gemini/finish.h"

namespace weir::dialect::gemini {

llm::MediaKind media_kind_of(std::string_view mime) {
    using enum llm::MediaKind;
    if (starts_with_ignoring_case(mime, "image/")) {
        return image;
    }
    if (starts_with_ignoring_case(mime, "audio/")) {
        return audio;
    }
    return starts_with_ignoring_case(mime, "video/") ? video : file;
}

std::string_view guess_mime(std::string_view base64) {
    struct Beginning {
        std::string_view bytes;
        std::size_t at;
        std::string_view mime;
    };
    static constexpr std::array<Beginning, 8> kBeginnings{{
        {"\x89PNG", 0, "image/png"},
        {"\xff\xd8\xff", 0, "image/jpeg"},
        {"GIF8", 0, "image/gif"},
        {"%PDF", 0, "application/pdf"},
        {"ID3", 0, "audio/mpeg"},
        {"OggS", 0, "audio/ogg"},
        {"WEBP", 8, "image/webp"},  // behind "RIFF" and a length
        {"WAVE", 8, "audio/wav"},
    }};
    constexpr std::size_t kLetters = 16;  // twelve bytes
    const auto bytes = from_base64(base64.substr(0, kLetters), Base64::standard);
    for (const Beginning& beginning : kBeginnings) {
        if (bytes && bytes->size() >= beginning.at &&
            std::string_view(*bytes).substr(beginning.at).starts_with(beginning.bytes)) {
            return beginning.mime;
        }
    }
    return {};
}

bool is_fetched_by_google(std::string_view url) {
    static constexpr std::array<std::string_view, 6> kPlaces{
        "gs://",
        "https://generativelanguage.googleapis.com/",
        "https://www.youtube.com/",
        "https://youtube.com/",
        "https://m.youtube.com/",
        "https://youtu.be/",
    };
    return std::any_of(kPlaces.begin(), kPlaces.end(), [url](std::string_view place) {
        return starts_with_ignoring_case(url, place);
    });
}

bool is_kept_by_google(std::string_view uri) {
    constexpr std::string_view kFiles = "/v1beta/files/";
    constexpr std::string_view kHost = "generativelanguage";
    const std::size_t scheme = uri.find("://");
    if (scheme == std::string_view::npos) {
        return true;  // a bare name can only be one of Google's own
    }
    const std::string_view rest = uri.substr(scheme + 3);
    const std::size_t path = std::min(rest.find_first_of("/?#\\"), rest.size());
    const std::string authority = lower_case(rest.substr(0, path));
    return authority.find(kHost) != std::string::npos ||
           starts_with_ignoring_case(rest.substr(path), kFiles);
}

}  // namespace weir::dialect::gemini
