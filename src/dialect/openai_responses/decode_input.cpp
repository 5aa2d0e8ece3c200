// The items of a conversation as messages.
#include <fmt/format.h>

#include "dialect/carrier.h"
#include "dialect/data_url.h"
#include "dialect/failure.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Value;

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

llm::Opaque decode_opaque(Value value, std::string type) {
    return {.of = kOwn, .type = std::move(type), .json = std::string(value.json())};
}

// Inline media comes as a data URL.
Result<void> decode_inline(Value value, llm::Media& into) {
    const std::string url = value.string_or("");
    const auto parsed = parse_data_url(url);
    if (!parsed) {
        return wrong(value, "a data URL in base64, such as data:image/png;base64,…");
    }
    into.mime = parsed->mime;
    into.data = parsed->data;
    return {};
}

Result<llm::Media> decode_image(Value part) {
    llm::Media media{.kind = llm::MediaKind::image, .detail = part["detail"].string_or("")};
    const Value url = part["image_url"];
    if (const auto id = part["file_id"].string()) {
        media.file_id = *id;
    } else if (!url.is_string()) {
        return wrong(part, "an image with its 'image_url' or 'file_id'");
    } else if (auto text = *url.string(); is_data_url(text)) {
        WEIR_TRY(decode_inline(url, media));
    } else {
        media.url = std::move(text);
    }
    return media;
}

Result<llm::Media> decode_file(Value part) {
    llm::Media media{.kind = llm::MediaKind::file, .name = part["filename"].string_or("")};
    if (auto id = part["file_id"].string()) {
        media.file_id = std::move(*id);
    } else if (auto url = part["file_url"].string()) {
        media.url = std::move(*url);
    } else if (auto data = part["file_data"].string(); !data) {
        return wrong(part, "a file with its 'file_data', 'file_url' or 'file_id'");
    } else if (is_data_url(*data)) {
        WEIR_TRY(decode_inline(part["file_data"], media));
    } else {
        media.mime = "application/pdf";
        media.data = std::move(*data);
    }
    return media;
}

Result<llm::Part> decode_part(Value part) {
    auto type = part["type"].string();
    if (!type) {
        return wrong(part, "an object with a 'type'");
    }
    llm::Part decoded{.cache = {.is_set = part["prompt_cache_breakpoint"].is_object()}};
    if (*type == "input_text" || *type == "output_text" || *type == "text") {
        auto text = part["text"].string();
        if (!text) {
            return wrong(part, "a text with its 'text'");
        }
        llm::Text body{.text = std::move(*text)};
        for (const Value annotation : part["annotations"]) {
            body.citations.push_back(decode_annotation(annotation));
        }
        decoded.body = std::move(body);
    } else if (*type == "refusal") {
        decoded.body = llm::Refusal{.text = part["refusal"].string_or("")};
    } else if (*type == "input_image") {
        WEIR_TRY(decoded.body, decode_image(part));
    } else if (*type == "input_file") {
        WEIR_TRY(decoded.body, decode_file(part));
    } else {
        decoded.body = decode_opaque(part, std::move(*type));
    }
    return decoded;
}

// A string or an array of parts. Empty texts say nothing: some clients send them beside calls.
Result<void> decode_content(Value content, std::vector<llm::Part>& into) {
    if (auto text = content.string()) {
        if (!text->empty()) {
            into.push_back({.body = llm::Text{.text = std::move(*text)}});
        }
        return {};
    }
    if (!content.is_array()) {
        return wrong(content, "a string or an array of parts");
    }
    for (const Value part : content) {
        WEIR_TRY(auto decoded, decode_part(part));
        const auto* text = llm::as<llm::Text>(decoded);
        if (text == nullptr || !text->text.empty()) {
            into.push_back(std::move(decoded));
        }
    }
    return {};
}

std::optional<llm::Role> read_role(std::string_view word) {
    if (word == "user") {
        return llm::Role::user;
    }
    if (word == "assistant") {
        return llm::Role::assistant;
    }
    if (word == "system") {
        return llm::Role::system;
    }
    return word == "developer" ? std::optional(llm::Role::developer) : std::nullopt;
}

struct Builder {
    std::vector<llm::Message>& messages;

    // Whatever the model said or did in a row is one message.
    void add_answer(llm::Part part) {
        if (messages.empty() || messages.back().role != llm::Role::assistant) {
            messages.push_back({.role = llm::Role::assistant});
        }
        messages.back().parts.push_back(std::move(part));
    }

    // The results of one turn are one message.
    void add_result(llm::Part part) {
        const bool goes_on = !messages.empty() && messages.back().role == llm::Role::user &&
                             !messages.back().parts.empty() &&
                             llm::as<llm::ToolResult>(messages.back().parts.back()) != nullptr;
        if (!goes_on) {
            messages.push_back({.role = llm::Role::user});
        }
        messages.back().parts.push_back(std::move(part));
    }

    Result<void> add_message(Value item) {
        const auto role = read_role(item["role"].string_or(""));
        if (!role) {
            return wrong(item["role"] ? item["role"] : item,
                         "a role: user, assistant, system or developer");
        }
        std::vector<llm::Part> parts;
        if (!item["content"]) {
            return wrong(item, "a message with its 'content'");
        }
        WEIR_TRY(decode_content(item["content"], parts));
        if (*role == llm::Role::assistant) {
            for (llm::Part& part : parts) {
                add_answer(std::move(part));
            }
        } else if (!parts.empty()) {
            messages.push_back({.role = *role, .parts = std::move(parts)});
        }
        return {};
    }

    Result<void> add_call(Value item) {
        const auto id = item["call_id"].string();
        auto name = item["name"].string();
        if (!id || id->empty() || !name || name->empty()) {
            return wrong(item, "a call with its 'call_id' and its 'name'");
        }
        if (item["arguments"].has_value() && !item["arguments"].is_string()) {
            return wrong(item["arguments"], "a string of JSON");
        }
        auto carried = read_carried_id(*id);
        add_answer({.body = llm::ToolCall{.id = std::string(carried.id),
                                          .name = std::move(*name),
                                          .arguments = item["arguments"].string_or(""),
                                          .signature = std::move(carried.signature)}});
        return {};
    }

    Result<void> add_call_output(Value item) {
        const auto id = item["call_id"].string();
        if (!id || id->empty() || !item["output"]) {
            return wrong(item, "a result with its 'call_id' and its 'output'");
        }
        llm::ToolResult result{.call_id = std::string(read_carried_id(*id).id),
                               .name = item["name"].string_or("")};
        WEIR_TRY(decode_content(item["output"], result.content));
        add_result({.body = std::move(result)});
        return {};
    }

    // What an id names is kept by nobody here. Thoughts can be left out, nothing else can.
    static Result<void> check_reference(Value item) {
        const std::string id = item["id"].string_or("");
        if (id.starts_with("rs_")) {
            return {};
        }
        return fail(Code::invalid_request,
                    fmt::format("'{}' refers to '{}', which is not kept for this model: send the "
                                "item itself. SDKs do where they are told 'store: false'.",
                                item.path(),
                                bounded(id)))
            .parameter(item.path());
    }

    Result<void> add_item(Value item) {
        auto type = item["type"].string();
        if (!type) {
            type = item["role"]             ? "message"
                   : item["id"].is_string() ? "item_reference"
                                            : std::optional<std::string>{};
        }
        if (!type) {
            return wrong(item, "an item with its 'type' or its 'role'");
        }
        if (*type == "message") {
            return add_message(item);
        }
        if (*type == "function_call") {
            return add_call(item);
        }
        if (*type == "function_call_output") {
            return add_call_output(item);
        }
        if (*type == "item_reference") {
            return check_reference(item);
        }
        if (*type == "reasoning") {
            auto reasoning = decode_reasoning(item);
            // One that says nothing may still be known to its provider by its id.
            if (!reasoning.text.empty() || !reasoning.signature.text.empty() ||
                !reasoning.id.empty()) {
                add_answer({.body = std::move(reasoning)});
            }
            return {};
        }
        // What the caller says of a tool of the provider's, or what the provider did.
        const bool is_callers = type->ends_with("_output") || *type == "mcp_approval_response";
        llm::Part part{.body = decode_opaque(item, std::move(*type))};
        if (is_callers) {
            messages.push_back({.role = llm::Role::user});
            messages.back().parts.push_back(std::move(part));
        } else {
            add_answer(std::move(part));
        }
        return {};
    }
};

}  // namespace

Failure wrong(Value value, std::string_view expected) {
    const std::string path = value.path();
    return fail(Code::invalid_request, fmt::format("'{}' must be {}.", path, expected))
        .parameter(path);
}

Result<void> decode_input(Value input, std::vector<llm::Message>& into) {
    if (auto text = input.string()) {
        if (!text->empty()) {
            into.push_back({.role = llm::Role::user, .parts = {}});
            into.back().parts.push_back({.body = llm::Text{.text = std::move(*text)}});
        }
        return {};
    }
    if (!input.is_array()) {
        return wrong(input, "a string or an array of items");
    }
    Builder builder{into};
    for (const Value item : input) {
        WEIR_TRY(builder.add_item(item));
    }
    return {};
}

}  // namespace weir::dialect::openai_responses
