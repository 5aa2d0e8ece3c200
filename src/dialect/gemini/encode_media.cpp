// Pictures, sounds and files of a request.
#include "base/base64.h"
#include "dialect/gemini/encode.h"
#include "dialect/gemini/media.h"

namespace weir::dialect::gemini {

Result<void> RequestEncoder::write_media(const llm::Media& media,
                                         bool is_model,
                                         const std::string& path) {
    if (!media.detail.empty() && media.detail != "auto") {
        drop("detail");
    }
    if (media.wants_citations) {
        drop("citations");
    }
    if (!media.context.empty()) {
        drop("context");
    }
    std::string uri = media.url;
    if (media.file_id.starts_with("files/")) {
        uri = std::string(kFilesAddress) + media.file_id;
    } else if (!media.file_id.empty() && !is_fetched_by_google(media.file_id)) {
        return cannot(path, "a file that is kept by another provider; send its content");
    } else if (!media.file_id.empty()) {
        uri = media.file_id;
    }
    if (!uri.empty()) {
        if (!is_fetched_by_google(uri)) {
            return cannot(path, "an address to fetch media from; send the content in base64");
        }
        json.object().key("fileData").object().field_unless_empty("mimeType", media.mime);
        json.field("fileUri", uri).end_object().end_object();
        return {};
    }
    std::string_view mime = media.mime.empty() ? guess_mime(media.data) : media.mime;
    const std::string text =
        media.is_plain_text ? to_base64(media.data, Base64::standard) : std::string{};
    if (media.is_plain_text) {
        mime = "text/plain";
    }
    if (mime.empty()) {
        return cannot(path, "media of an unknown kind; name its MIME type");
    }
    json.object().key("inlineData").object().field("mimeType", mime);
    json.field("data", media.is_plain_text ? text : media.data).end_object();
    // Models that draw want pictures of the history signed, and nobody keeps that for them.
    if (is_model && facts.makes_images && facts.wants_signatures) {
        json.field("thoughtSignature", kNoSignature);
    }
    json.end_object();
    return {};
}

}  // namespace weir::dialect::gemini
