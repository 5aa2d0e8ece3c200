#include "dialect/openai_chat/request.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/json/value.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Kind;
using json::Span;

// OpenAI's own ceiling for `n`.
constexpr std::int64_t kChoicesMax = 128;

// Of valid UTF-8: each has one byte that does not continue another.
std::int64_t count_characters(std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; });
}

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kStreamOptions,
        kItems,
        kMessage,
        kContent,  // of a message; pictures to be edited
        kPart,
        kFile,
        kAudio,
    };

    std::string_view text;
    llm::Surface surface;
    Request request;
    std::optional<Error> fault;
    bool has_items = false;  // `messages` or `input`
    bool items_empty = true;
    std::int64_t texts = 0;  // of `prompt`, where it has several
    std::optional<std::int64_t> max_tokens, max_completion_tokens;
    Span include_usage_span;   // its value
    Span stream_options_span;  // the whole value: an object, or null
    bool stream_options_is_object = false;
    bool stream_options_is_empty = true;

    // What the model is to work on; empty: whatever it is, it is the provider's to judge.
    std::string_view items_key() const {
        switch (surface) {
            case llm::Surface::chat:
                return "messages";
            case llm::Surface::completions:
                return "prompt";
            case llm::Surface::embeddings:
            case llm::Surface::moderations:
                return "input";
            default:
                return {};
        }
    }
    bool may_stream() const {
        return surface == llm::Surface::chat || surface == llm::Surface::completions;
    }

    void refuse(std::string_view key, std::string_view expected) {
        if (!fault) {
            fault = fail(Code::invalid_request, fmt::format("'{}' must be {}.", key, expected))
                        .parameter(std::string(key))
                        .error();
        }
    }

    int open(int scope, std::string_view key, Kind kind) {
        if (scope == json::kRoot) {
            if (kind != Kind::object) {
                refuse("body", "a JSON object");
            }
            return kBody;
        }
        if (scope == kItems) {
            items_empty = false;
            ++texts;  // of tokens
            return surface == llm::Surface::chat && kind == Kind::object ? int{kMessage}
                                                                         : json::kIgnored;
        }
        if (scope == kStreamOptions) {
            stream_options_is_empty = false;
            if (key == "include_usage") {
                refuse("stream_options.include_usage", "true or false");
            }
        }
        if (scope != kBody) {
            return open_content(scope, key, kind == Kind::object);
        }
        request.body_is_empty = false;
        if (surface == llm::Surface::images && (key == "images" || key == "image")) {
            return kind == Kind::object ? kFile : kContent;
        }
        if (surface == llm::Surface::images && key == "mask" && kind == Kind::object) {
            return kFile;
        }
        if (key == "stream_options" && kind == Kind::object) {
            stream_options_is_object = true;
            return kStreamOptions;
        }
        if (key == items_key() && kind == Kind::array) {
            has_items = true;
            return kItems;
        }
        wrong_container(key);
        return json::kIgnored;
    }

    // Only for what the provider keeps and a message names.
    int open_content(int scope, std::string_view key, bool is_object) {
        switch (scope) {
            case kMessage:
                request.has_history = request.has_history || key == "tool_calls";
                return key == "content" && !is_object ? int{kContent}
                       : key == "audio" && is_object  ? int{kAudio}
                                                      : json::kIgnored;
            case kContent:
                return is_object ? int{kPart} : json::kIgnored;
            case kPart:
                return is_object ? int{kFile} : json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    void name_in(int scope, std::string_view key, Kind kind, Span span) {
        if (kind != Kind::string) {
            return;
        }
        if (scope == kMessage) {
            request.has_history = request.has_history || key == "tool_call_id";
        } else if ((scope == kPart || scope == kFile) && key == "file_id") {
            request.keep_id(json::read_string(span.in(text)), "file_id");
        } else if (scope == kAudio && key == "id") {
            request.keep_id(json::read_string(span.in(text)), "messages", false);
        }
    }

    void wrong_container(std::string_view key) {
        if (key == "model") {
            refuse(key, "a string");
        } else if (key == "stream") {
            refuse(key, "true or false");
        } else if (key == "stream_options") {
            refuse(key, "an object");
        } else if (key == "max_tokens" || key == "max_completion_tokens" || key == "n") {
            refuse(key, "a whole number");
        } else if (key == items_key()) {
            refuse(key,
                   surface == llm::Surface::chat ? "a non-empty array" : "a string or an array");
        }
    }

    void close(int scope, Span span) {
        if (scope == kStreamOptions) {
            stream_options_span = span;
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        switch (scope) {
            case json::kRoot:
                refuse("body", "a JSON object");
                return;
            case kItems:
                items_empty = false;
                texts += kind == Kind::string ? 1 : 0;
                return;
            case kStreamOptions:
                stream_option(key, kind, span);
                return;
            case kBody:
                break;
            default:
                name_in(scope, key, kind, span);
                return;
        }
        request.body_is_empty = false;
        const std::string_view value = span.in(text);
        if (key == "model") {
            if (kind != Kind::string || span.size == 2) {
                refuse(key, "a string");
                return;
            }
            request.model = json::read_string(value);
            request.model_span = span;
        } else if (key == "stream") {
            if (kind != Kind::true_ && kind != Kind::false_ && kind != Kind::null) {
                refuse(key, "true or false");
            }
            request.stream = kind == Kind::true_;
        } else if (key == "service_tier" && kind == Kind::string) {
            request.service_tier = json::read_string(value);
        } else if (key == "prompt_cache_key" && kind == Kind::string) {
            request.cache_key = span;
        } else if (key == "user" && kind == Kind::string) {
            request.user = span;
        } else if (key == "stream_options") {
            if (kind != Kind::null) {
                refuse(key, "an object");
            }
            stream_options_span = span;
        } else if (key == "max_tokens") {
            max_tokens = count(key, kind, value, 1);
        } else if (key == "max_completion_tokens") {
            max_completion_tokens = count(key, kind, value, 1);
        } else if (key == "n") {
            const auto n = count(key, kind, value, 1);
            if (n && *n > kChoicesMax) {
                refuse(key, fmt::format("at most {}", kChoicesMax));
            }
            request.choices = n.value_or(1);
        } else if (key == "encoding_format" && surface == llm::Surface::embeddings) {
            request.wants_base64 = value == "\"base64\"";
        } else if (surface == llm::Surface::audio && key == "stream_format") {
            request.stream = request.stream || value == "\"sse\"";
        } else if (surface == llm::Surface::audio && key == "input" && kind == Kind::string) {
            request.input_characters = count_characters(json::read_string(value));
        } else if (key == items_key()) {
            if (surface != llm::Surface::chat && kind == Kind::string) {
                has_items = true;
                items_empty = span.size == 2;
            } else {
                wrong_container(key);
            }
        }
    }

    void stream_option(std::string_view key, Kind kind, Span span) {
        stream_options_is_empty = false;
        if (key != "include_usage") {
            return;
        }
        if (kind != Kind::true_ && kind != Kind::false_ && kind != Kind::null) {
            refuse("stream_options.include_usage", "true or false");
        }
        request.include_usage = kind == Kind::true_;
        include_usage_span = span;
    }

    // Usage is always wanted; the extra chunk is taken out again where the client did not ask.
    void ask_usage() {
        if (!request.stream || request.include_usage) {
            return;
        }
        if (include_usage_span.is_set()) {
            request.usage_span = include_usage_span;
            request.usage_words = "true";
        } else if (stream_options_is_object) {
            request.usage_span = Span{stream_options_span.at + 1, 0};
            request.usage_words =
                stream_options_is_empty ? "\"include_usage\":true" : "\"include_usage\":true,";
        } else if (stream_options_span.is_set()) {  // null
            request.usage_span = stream_options_span;
            request.usage_words = "{\"include_usage\":true}";
        } else {
            request.usage_span = Span{request.body_begin, 0};
            request.usage_words = "\"stream_options\":{\"include_usage\":true},";
        }
    }

    std::optional<std::int64_t> count(std::string_view key,
                                      Kind kind,
                                      std::string_view value,
                                      std::int64_t least) {
        if (kind == Kind::null) {
            return std::nullopt;
        }
        const auto number = kind == Kind::number ? json::read_integer(value) : std::nullopt;
        if (!number || *number < least) {
            refuse(key, fmt::format("a whole number, at least {}", least));
            return std::nullopt;
        }
        return number;
    }
};

Result<Request> decode(std::string_view body, llm::Surface surface, json::Scratch& scratch) {
    Reader reader{.text = body, .surface = surface};
    WEIR_TRY(json::scan(body, json::Duplicates::refused, scratch, reader));
    if (reader.fault) {
        return std::unexpected(std::move(*reader.fault));
    }
    const auto key = std::string(reader.items_key());
    if (!key.empty() && (!reader.has_items || reader.items_empty)) {
        return fail(Code::invalid_request,
                    surface == llm::Surface::chat
                        ? "'messages' must be a non-empty array."
                        : fmt::format("'{}' must be a string or an array, not empty.", key))
            .parameter(key);
    }
    Request& request = reader.request;
    request.surface = surface;
    request.max_output_tokens =
        reader.max_completion_tokens ? reader.max_completion_tokens : reader.max_tokens;
    request.body_begin = body.find('{') + 1;
    if (surface == llm::Surface::completions) {
        // Each prompt is answered `n` times.
        request.choices *= std::max<std::int64_t>(reader.texts, 1);
    }
    if (reader.may_stream()) {
        reader.ask_usage();
    } else if (!llm::passes_through(surface)) {
        request.stream = false;
    }
    return std::move(request);
}

}  // namespace

Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch) {
    WEIR_TRY(auto request, decode(body, path.surface, scratch));
    if (!path.model.empty()) {  // Azure's clients name the deployment in the path
        request.model = path.model;
        request.model_is_foreign = true;
    }
    return request;
}

}  // namespace weir::dialect::openai_chat
