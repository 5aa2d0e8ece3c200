#include "dialect/gemini/parts.h"

#include <algorithm>

#include "dialect/carrier.h"
#include "dialect/gemini/chunk.h"
#include "dialect/gemini/fields.h"

namespace weir::dialect::gemini {
namespace {

constexpr std::string_view kRedactedMark = "redacted:";

// What every marked signature begins with; see dialect/carrier.h.
bool looks_marked(std::string_view field) {
    return field.starts_with("d2Vpci1zaWc6");  // base64 of "weir-sig:"
}

// Bytes before code point `count`; unset where the text is shorter.
std::optional<std::int64_t> bytes_before(std::string_view text, std::optional<std::int64_t> count) {
    if (!count || text.empty()) {
        return std::nullopt;
    }
    std::int64_t seen = -1;
    for (std::size_t at = 0; at < text.size(); ++at) {
        seen += (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80 ? 0 : 1;
        if (seen == *count) {
            return static_cast<std::int64_t>(at);
        }
    }
    return seen + 1 == *count ? std::optional(static_cast<std::int64_t>(text.size()))
                              : std::nullopt;
}

}  // namespace

void write_text(std::string_view text,
                bool is_thought,
                std::string_view signature,
                json::Writer& json) {
    json.object().field("text", text);
    if (is_thought) {
        json.field("thought", true);
    }
    json.field_unless_empty("thoughtSignature", signature).end_object();
}

void write_call(std::string_view id,
                std::string_view name,
                std::string_view arguments,
                std::string_view signature,
                json::Writer& json) {
    json.object().key("functionCall").object();
    json.field_unless_empty("id", id).field("name", name);
    json.raw_field("args", arguments.empty() ? "{}" : arguments).end_object();
    json.field_unless_empty("thoughtSignature", signature).end_object();
}

void write_data(std::string_view mime, std::string_view base64, json::Writer& json) {
    json.object().key("inlineData").object();
    json.field_unless_empty("mimeType", mime).field("data", base64);
    json.end_object().end_object();
}

bool is_object(std::string_view text, json::Document& document) {
    if (text.empty()) {
        return true;
    }
    const auto root = document.parse(text, json::Duplicates::allowed);
    return root && root->is_object();
}

std::string carry(const llm::Signature& signature, bool redacted) {
    if (signature.text.empty()) {
        return {};
    }
    if (!redacted) {
        return carry_in_field(signature, llm::Dialect::gemini);
    }
    llm::Signature sealed{.text = std::string(kRedactedMark), .of = signature.of};
    sealed.text += signature.text;
    return carry_in_field(sealed, llm::Dialect::gemini);
}

Carried read_carried(std::string field) {
    // Google's clients write bytes in the URL's alphabet, whatever they got.
    if (looks_marked(field)) {
        field = standard_base64(std::move(field));
    }
    Carried read{.signature = read_carried_field(field, llm::Dialect::gemini)};
    const bool is_foreign = read.signature.of != llm::Dialect::gemini;
    if (is_foreign && read.signature.text.starts_with(kRedactedMark)) {
        read.signature.text.erase(0, kRedactedMark.size());
        read.redacted = true;
    }
    return read;
}

void Grounding::add(const llm::Citation& citation, std::string_view text) {
    if (citation.url.empty() || supports_.size() == kSourcesMax) {
        return;
    }
    const auto known = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
        return source.url == citation.url && source.title == citation.title;
    });
    const auto source = static_cast<std::size_t>(known - sources_.begin());
    if (known == sources_.end()) {
        sources_.push_back({citation.url, citation.title});
    }
    supports_.push_back({.source = source,
                         .cited_text = citation.cited_text,
                         .start = bytes_before(text, citation.start),
                         .end = bytes_before(text, citation.end)});
}

void Grounding::write(json::Writer& json) const {
    if (sources_.empty()) {
        return;
    }
    json.key("groundingMetadata").object().key("groundingChunks").array();
    for (const Source& source : sources_) {
        json.object().key("web").object().field("uri", source.url);
        json.field_unless_empty("title", source.title).end_object().end_object();
    }
    json.end_array().key("groundingSupports").array();
    for (const Support& support : supports_) {
        const bool has_place = support.start && support.end;
        if (!has_place && support.cited_text.empty()) {
            continue;  // a source of the whole text
        }
        json.object().key("segment").object();
        if (has_place) {
            json.field("startIndex", *support.start).field("endIndex", *support.end);
        }
        json.field_unless_empty("text", support.cited_text).end_object();
        json.key("groundingChunkIndices").array();
        json.integer(static_cast<std::int64_t>(support.source)).end_array().end_object();
    }
    json.end_array().end_object();
}

}  // namespace weir::dialect::gemini
