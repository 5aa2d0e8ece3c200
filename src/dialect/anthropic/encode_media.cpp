// Pictures and files as blocks, and where in the client's request they stood, for refusals.
#include <fmt/format.h>

#include "base/base64.h"
#include "base/text.h"
#include "dialect/anthropic/encode.h"

namespace weir::dialect::anthropic {
namespace {

using json::Writer;

// Writes `source`; says what it cannot be, where it cannot.
using Refused = std::optional<std::string>;

Refused write_source(const llm::Media& media,
                     std::string_view default_mime,
                     const llm::Call& call,
                     Writer& json) {
    json.key("source").object();
    if (!media.url.empty()) {
        if (!starts_with_ignoring_case(media.url, "https://") &&
            !starts_with_ignoring_case(media.url, "http://")) {
            return "a picture or file by a URL that is not http(s)";
        }
        json.field("type", "url").field("url", media.url);
    } else if (!media.file_id.empty()) {
        if (call.from != llm::Dialect::anthropic) {
            return "a file kept by another provider";
        }
        json.field("type", "file").field("file_id", media.file_id);
    } else {
        const std::string_view mime = media.mime.empty() ? default_mime : media.mime;
        if (mime.empty()) {
            return "a picture without its media type";
        }
        json.field("type", "base64").field("media_type", mime).field("data", media.data);
    }
    json.end_object();
    return std::nullopt;
}

void write_plain_source(std::string_view text, Writer& json) {
    json.key("source").object().field("type", "text").field("media_type", "text/plain");
    json.field("data", text).end_object();
}

Refused write_document_source(const llm::Media& media, const llm::Call& call, Writer& json) {
    if (media.is_plain_text) {
        write_plain_source(media.data, json);
        return std::nullopt;
    }
    const bool is_inline = media.url.empty() && media.file_id.empty();
    if (is_inline && starts_with_ignoring_case(media.mime, "text/")) {
        const auto text = from_base64(media.data, Base64::standard);
        if (!text) {
            return "a file that is no valid base64";
        }
        if (json::detail::find_invalid_utf8(*text) != std::string_view::npos) {
            return "a text file that is not UTF-8";
        }
        write_plain_source(*text, json);
        return std::nullopt;
    }
    if (is_inline && !media.mime.empty() && media.mime != "application/pdf") {
        return fmt::format("a file of type '{}'", media.mime);
    }
    return write_source(media, "application/pdf", call, json);
}

Refused write_block(const llm::Media& media, const llm::Call& call, Writer& json) {
    Refused refused;
    switch (media.kind) {
        case llm::MediaKind::audio:
            return "audio";
        case llm::MediaKind::video:
            return "video";
        case llm::MediaKind::image:
            json.object().field("type", "image");
            return write_source(media, "", call, json);
        case llm::MediaKind::file:
            json.object().field("type", "document");
            refused = write_document_source(media, call, json);
            json.field_unless_empty("title", media.name);
            json.field_unless_empty("context", media.context);
            if (media.wants_citations) {
                json.key("citations").object().field("enabled", true).end_object();
            }
            return refused;
    }
    std::unreachable();
}

}  // namespace

std::string place_of(const llm::Part& part, const llm::Call& call) {
    const FieldWords& words = words_of(call.from);
    // What stands first may come from a field of its own.
    const bool has_own_field = call.from != llm::Dialect::openai_chat && !call.messages.empty() &&
                               call.messages.front().role == llm::Role::system;
    for (std::size_t i = 0; i < call.messages.size(); ++i) {
        const auto& parts = call.messages[i].parts;
        if (&part < parts.data() || &part >= parts.data() + parts.size()) {
            continue;
        }
        if (has_own_field && i == 0) {
            return std::string(words.system);
        }
        const std::size_t number = i - (has_own_field ? 1 : 0);
        const auto index = &part - parts.data();
        switch (call.from) {
            case llm::Dialect::openai_responses:
                break;  // its items are no messages
            case llm::Dialect::gemini:
                return fmt::format("{}[{}].parts[{}]", words.messages, number, index);
            case llm::Dialect::openai_chat:
                if (call.messages[i].role ==
                    llm::Role::assistant) {  // has calls beside its content
                    return fmt::format("{}[{}]", words.messages, number);
                }
                [[fallthrough]];
            case llm::Dialect::anthropic:
            case llm::Dialect::bedrock:
                return fmt::format("{}[{}].content[{}]", words.messages, number, index);
        }
    }
    return std::string(words.messages);
}

Result<void> encode_media(const llm::Media& media,
                          const llm::CacheMark& cache,
                          const llm::Part& stands_in,
                          Outgoing& out,
                          Writer& json) {
    if (const Refused refused = write_block(media, out.call, json)) {
        return out.cannot(place_of(stands_in, out.call), *refused);
    }
    write_cache_mark(cache, json);
    json.end_object();
    return {};
}

}  // namespace weir::dialect::anthropic
