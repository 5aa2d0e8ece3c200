// Images, documents, videos and sound. Bedrock names a form of its own for each and takes the bytes
// inline or from S3.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/bedrock/encoder.h"

namespace weir::dialect::bedrock {
namespace {

struct Form {
    std::string_view mime;
    std::string_view name;  // Bedrock's; mostly the ending of such files, too
};
constexpr auto kImages = std::to_array<Form>({{"image/png", "png"},
                                              {"image/jpeg", "jpeg"},
                                              {"image/jpg", "jpeg"},
                                              {"image/gif", "gif"},
                                              {"image/webp", "webp"}});
constexpr auto kVideos = std::to_array<Form>({{"video/mp4", "mp4"},
                                              {"video/quicktime", "mov"},
                                              {"video/x-matroska", "mkv"},
                                              {"video/webm", "webm"},
                                              {"video/x-flv", "flv"},
                                              {"video/mpeg", "mpeg"},
                                              {"video/mpg", "mpg"},
                                              {"video/x-ms-wmv", "wmv"},
                                              {"video/3gpp", "three_gp"}});
constexpr auto kSounds = std::to_array<Form>({{"audio/mp3", "mp3"},
                                              {"audio/mpeg", "mp3"},
                                              {"audio/wav", "wav"},
                                              {"audio/x-wav", "wav"},
                                              {"audio/aac", "aac"},
                                              {"audio/flac", "flac"},
                                              {"audio/ogg", "ogg"},
                                              {"audio/opus", "opus"},
                                              {"audio/mp4", "m4a"},
                                              {"audio/m4a", "m4a"},
                                              {"audio/webm", "webm"},
                                              {"audio/pcm", "pcm"}});
constexpr auto kDocuments = std::to_array<Form>(
    {{"application/pdf", "pdf"},
     {"text/csv", "csv"},
     {"application/msword", "doc"},
     {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
     {"application/vnd.ms-excel", "xls"},
     {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
     {"text/html", "html"},
     {"text/plain", "txt"},
     {"text/markdown", "md"}});

// By the type, or where none is said by the ending of the name or address; empty: none of these.
std::string_view form_of(const llm::Media& media, std::span<const Form> forms) {
    const std::string_view mime =
        trim(std::string_view(media.mime).substr(0, media.mime.find(';')));
    const std::string_view name = media.name.empty() ? media.url : media.name;
    for (const Form& form : forms) {
        if (mime.empty() ? name.size() > form.name.size() && name.ends_with(form.name) &&
                               name[name.size() - form.name.size() - 1] == '.'
                         : equals_ignoring_case(form.mime, mime)) {
            return form.name;
        }
    }
    return {};
}

std::string_view kind_name(llm::MediaKind kind) {
    switch (kind) {
        case llm::MediaKind::image:
            return "image";
        case llm::MediaKind::audio:
            return "audio";
        case llm::MediaKind::video:
            return "video";
        case llm::MediaKind::file:
            return "document";
    }
    std::unreachable();
}

std::span<const Form> forms_of(llm::MediaKind kind) {
    switch (kind) {
        case llm::MediaKind::image:
            return kImages;
        case llm::MediaKind::audio:
            return kSounds;
        case llm::MediaKind::video:
            return kVideos;
        case llm::MediaKind::file:
            return kDocuments;
    }
    std::unreachable();
}

}  // namespace

Result<void> Encoder::write_source(const llm::Media& media) {
    json_.key("source").object();
    if (media.url.starts_with("s3://")) {
        json_.key("s3Location").object().field("uri", media.url).end_object();
    } else if (!media.url.empty()) {
        return cannot(names_.messages, "media by its URL: send the bytes instead, which it can");
    } else if (!media.file_id.empty()) {
        return cannot(names_.messages, "a file kept by another provider");
    } else {
        json_.field("bytes",
                    media.is_plain_text ? to_base64(media.data, Base64::standard) : media.data);
    }
    json_.end_object();
    return {};
}

Result<void> Encoder::write_media(const llm::Media& media) {
    if (!media.detail.empty() && media.detail != "auto") {
        drop("detail");
    }
    if (media.kind == llm::MediaKind::file) {
        return write_document(media);
    }
    const std::string_view form = form_of(media, forms_of(media.kind));
    if (form.empty()) {
        return cannot(names_.messages,
                      fmt::format("{} of type '{}'", kind_name(media.kind), media.mime));
    }
    json_.object().key(kind_name(media.kind)).object().field("format", form);
    WEIR_TRY(write_source(media));
    json_.end_object().end_object();
    return {};
}

Result<void> Encoder::write_document(const llm::Media& media) {
    const std::string_view form = media.is_plain_text ? "txt" : form_of(media, kDocuments);
    if (form.empty()) {
        return cannot(names_.messages, fmt::format("a file of type '{}'", media.mime));
    }
    json_.object().key("document").object().field("format", form);
    json_.field("name", document_name(media.name));
    WEIR_TRY(write_source(media));
    const bool knows_citations = facts_.family == ModelFacts::Family::claude;
    if (!knows_citations && (media.wants_citations || !media.context.empty())) {
        drop("citations");
    } else {
        json_.field_unless_empty("context", media.context);
        if (media.wants_citations) {
            json_.key("citations").object().field("enabled", true).end_object();
        }
    }
    json_.end_object().end_object();
    return {};
}

// Letters, digits, single spaces, '-', '(', ')', '[', ']' only; 200 at most; each name once. The
// model reads the name, so an ending stays as a word of it.
std::string Encoder::document_name(std::string_view wished) {
    constexpr std::size_t kBytesMax = 190;  // leaves room for a number
    std::string name;
    for (const char c : wished.substr(0, kBytesMax)) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '(' || c == ')' ||
                              c == '[' || c == ']';
        if (is_plain) {
            name += c;
        } else if (!name.empty() && name.back() != ' ') {
            name += ' ';
        }
    }
    name = std::string(trim(name));
    if (name.empty()) {
        name = "document";
    }
    const auto is_taken = [this](std::string_view one) {
        return std::find(document_names_.begin(), document_names_.end(), one) !=
               document_names_.end();
    };
    std::string unique = name;
    for (std::size_t number = 2; is_taken(unique); ++number) {
        unique = fmt::format("{} {}", name, number);
    }
    return document_names_.emplace_back(std::move(unique));
}

}  // namespace weir::dialect::bedrock
