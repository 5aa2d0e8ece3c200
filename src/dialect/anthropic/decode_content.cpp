// Content blocks, as clients send them and as providers answer with them.
#include "dialect/answer_tool.h"
#include "dialect/anthropic/codec.h"
#include "dialect/carrier.h"

namespace weir::dialect::anthropic {
namespace {

using json::Value;

llm::Opaque keep_as_is(Value block, std::string_view type) {
    return {.of = llm::Dialect::anthropic,
            .type = std::string(type),
            .json = std::string(block.json())};
}

Result<llm::Text> decode_text(Value block) {
    auto text = block["text"].string();
    if (!text) {
        return wrong(block, "a text block with its 'text'");
    }
    llm::Text decoded{.text = std::move(*text)};
    for (const Value citation : block["citations"]) {
        decoded.citations.push_back(decode_citation(citation));
    }
    return decoded;
}

// What an image and a document have in common. false: a kind of source that is not known here, such
// as a document made of blocks.
Result<bool> decode_source(Value block, llm::Media& media) {
    const Value source = block["source"];
    if (!source.is_object()) {
        return wrong(block, "a block with its 'source'");
    }
    const Value type = source["type"];
    const std::string_view field = type.equals("base64") || type.equals("text") ? "data"
                                   : type.equals("url")                         ? "url"
                                   : type.equals("file")                        ? "file_id"
                                                                                : "";
    if (field.empty()) {
        return false;
    }
    auto value = source[field].string();
    if (!value || value->empty()) {
        return wrong(source, fmt::format("a source with its '{}'", field));
    }
    (field == "data" ? media.data : field == "url" ? media.url : media.file_id) = std::move(*value);
    media.mime = source["media_type"].string_or("");
    media.is_plain_text = type.equals("text");
    return true;
}

Result<llm::Part> decode_media(Value block, llm::MediaKind kind, std::string_view type) {
    llm::Media media{.kind = kind};
    WEIR_TRY(const bool is_known, decode_source(block, media));
    if (!is_known) {
        return llm::Part{.body = keep_as_is(block, type)};
    }
    media.name = block["title"].string_or("");
    media.context = block["context"].string_or("");
    media.wants_citations = block["citations"]["enabled"].boolean().value_or(false);
    return llm::Part{.body = std::move(media), .cache = decode_cache_mark(block)};
}

Result<llm::ToolCall> decode_tool_use(Value block, Origin origin) {
    const auto id = block["id"].string();
    const auto name = block["name"].string();
    if (!id || !name || id->empty() || name->empty()) {
        return wrong(block, "a tool_use block with its 'id' and its 'name'");
    }
    const Value input = block["input"];
    if (input.has_value() && !input.is_object()) {
        return wrong(input, "an object");
    }
    llm::ToolCall call{.id = *id, .name = *name, .arguments = json::compacted(input.json())};
    if (origin == Origin::client) {
        auto carried = read_carried_id(*id);
        call.id = carried.id;
        call.signature = std::move(carried.signature);
    }
    return call;
}

Result<llm::ToolResult> decode_tool_result(Value block, Origin origin) {
    const auto id = block["tool_use_id"].string();
    if (!id || id->empty()) {
        return wrong(block, "a tool_result block with its 'tool_use_id'");
    }
    llm::ToolResult result{
        .call_id = std::string(origin == Origin::client ? read_carried_id(*id).id : *id),
        .is_error = block["is_error"].boolean().value_or(false)};
    if (const Value content = block["content"]; content.has_value()) {
        WEIR_TRY(decode_content(content, origin, result.content));
    }
    return result;
}

llm::Signature decode_signature(Value field, Origin origin) {
    std::string aside;
    const std::string_view text = field.view(aside);
    return origin == Origin::client
               ? read_carried_field(text, llm::Dialect::anthropic)
               : llm::Signature{.text = std::string(text), .of = llm::Dialect::anthropic};
}

// nullopt: it says nothing.
Result<std::optional<llm::Part>> decode_block(Value block, Origin origin) {
    std::string aside;
    const std::string_view type = block["type"].view(aside);
    if (type.empty()) {
        return wrong(block, "a content block with its 'type'");
    }
    llm::Part part{.cache = decode_cache_mark(block)};
    if (type == "text") {
        WEIR_TRY(auto text, decode_text(block));
        if (text.text.empty()) {
            return std::nullopt;
        }
        part.body = std::move(text);
    } else if (type == "image" || type == "document") {
        const auto kind = type == "image" ? llm::MediaKind::image : llm::MediaKind::file;
        WEIR_TRY(part, decode_media(block, kind, type));
    } else if (type == "tool_use") {
        WEIR_TRY(auto call, decode_tool_use(block, origin));
        if (origin == Origin::provider && call.name == kAnswerTool) {
            part.body = llm::Text{.text = call.arguments.empty() ? "{}" : call.arguments};
        } else {
            part.body = std::move(call);
        }
    } else if (type == "tool_result") {
        WEIR_TRY(part.body, decode_tool_result(block, origin));
    } else if (type == "thinking") {
        llm::Reasoning reasoning{.text = block["thinking"].string_or(""),
                                 .signature = decode_signature(block["signature"], origin)};
        if (reasoning.text.empty() && reasoning.signature.text.empty()) {
            return std::nullopt;
        }
        part.body = std::move(reasoning);
    } else if (type == "redacted_thinking") {
        part.body =
            llm::Reasoning{.signature = decode_signature(block["data"], origin), .redacted = true};
    } else {
        return llm::Part{.body = keep_as_is(block, type)};
    }
    return part;
}

}  // namespace

llm::CacheMark decode_cache_mark(Value holder) {
    const Value mark = holder["cache_control"];
    return {.is_set = mark.is_object(), .for_an_hour = mark["ttl"].equals("1h")};
}

// Their places are places in documents, not in the text: only what everybody understands is read.
llm::Citation decode_citation(Value citation) {
    llm::Citation decoded{.url = citation["url"].string_or(""),
                          .title = citation["title"].string_or(""),
                          .cited_text = citation["cited_text"].string_or(""),
                          .json = std::string(citation.json()),
                          .of = llm::Dialect::anthropic};
    if (decoded.title.empty()) {
        decoded.title = citation["document_title"].string_or("");
    }
    return decoded;
}

Result<void> decode_content(Value content, Origin origin, std::vector<llm::Part>& into) {
    if (content.is_string()) {
        if (auto text = *content.string(); !text.empty()) {
            into.push_back({.body = llm::Text{.text = std::move(text)}});
        }
        return {};
    }
    if (!content.is_array()) {
        return wrong(content, "a string or an array of content blocks");
    }
    for (const Value block : content) {
        WEIR_TRY(auto part, decode_block(block, origin));
        if (part) {
            into.push_back(std::move(*part));
        }
    }
    return {};
}

}  // namespace weir::dialect::anthropic
