#include "dialect/remote_media.h"

#include <utility>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/gemini/media.h"

namespace weir::dialect {

bool must_be_inlined(llm::Dialect dialect, const llm::Media& media) {
    using enum llm::MediaKind;
    if (!starts_with_ignoring_case(media.url, "https://") &&
        !starts_with_ignoring_case(media.url, "http://")) {
        return false;
    }
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return media.kind == file || media.kind == audio;
        case llm::Dialect::openai_responses:
            return false;
        case llm::Dialect::anthropic:
            return media.kind == file && !media.mime.empty() && media.mime != "application/pdf";
        case llm::Dialect::gemini:
            return !gemini::is_fetched_by_google(media.url);
        case llm::Dialect::bedrock:
            return true;
    }
    std::unreachable();
}

bool is_of_kind(llm::MediaKind kind, std::string_view type) {
    return kind == llm::MediaKind::file || kind == gemini::media_kind_of(type);
}

void put_inline(llm::Media& media, std::string_view type, std::string_view bytes) {
    if (media.kind == llm::MediaKind::file && media.mime.empty()) {
        media.kind = gemini::media_kind_of(type);
    }
    media.data = to_base64(bytes, Base64::standard);
    media.mime = type;
    media.url.clear();
}

}  // namespace weir::dialect
