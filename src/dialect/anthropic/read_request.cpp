// One pass over a body of /v1/messages or /v1/messages/count_tokens: what Weir must know of it
// before it knows where the call goes.
#include <fmt/format.h>

#include "dialect/anthropic/codec.h"
#include "dialect/json/value.h"

namespace weir::dialect::anthropic {
namespace {

using json::Kind;
using json::Span;

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kMessages,
        kMessage,
        kContent,
        kBlock,
        kSource,
        kContainer,
        kMetadata,
    };

    std::string_view text;
    Request request;
    std::optional<Error> fault{};
    bool has_messages = false;
    bool messages_empty = true;

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
        const bool is_object = kind == Kind::object;
        if (scope == kMessages) {
            messages_empty = false;
            return is_object ? int{kMessage} : json::kIgnored;
        }
        if (scope != kBody) {
            return open_content(scope, key, is_object);
        }
        request.body_is_empty = false;
        if (key == "container" && is_object) {
            return kContainer;
        }
        if (key == "metadata" && is_object) {
            return kMetadata;
        }
        if (key == "messages" && kind == Kind::array) {
            has_messages = true;
            return kMessages;
        }
        wrong_kind(key);
        return json::kIgnored;
    }

    // Only for the files named in there: blocks may hold blocks (a tool's result, a document).
    static int open_content(int scope, std::string_view key, bool is_object) {
        switch (scope) {
            case kMessage:
            case kSource:
                return key == "content" && !is_object ? int{kContent} : json::kIgnored;
            case kContent:
                return is_object ? int{kBlock} : json::kIgnored;
            case kBlock:
                return is_object && key == "source"     ? int{kSource}
                       : !is_object && key == "content" ? int{kContent}
                                                        : json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    void wrong_kind(std::string_view key) {
        if (key == "messages") {
            refuse(key, "a non-empty array");
        } else if (key == "model") {
            refuse(key, "a string");
        } else if (key == "stream") {
            refuse(key, "true or false");
        } else if (key == "max_tokens") {
            refuse(key, "a whole number, at least 0");
        }
    }

    void close(int, Span) {}

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        if (scope == json::kRoot) {
            refuse("body", "a JSON object");
            return;
        }
        if (scope == kMessages) {
            messages_empty = false;
            return;
        }
        if (scope != kBody) {
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
        } else if (key == "max_tokens") {
            // 0 is legal: it warms the prompt cache.
            const auto number = kind == Kind::number ? json::read_integer(value) : std::nullopt;
            if (!number || *number < 0) {
                refuse(key, "a whole number, at least 0");
                return;
            }
            request.max_output_tokens = number;
        } else if (key == "service_tier" && kind == Kind::string) {
            request.service_tier = json::read_string(value);
        } else if (key == "container") {
            if (kind == Kind::string) {
                request.keep_id(json::read_string(value), "container");
            }
        } else if (key == "messages") {
            wrong_kind(key);
        }
    }

    void name_in(int scope, std::string_view key, Kind kind, Span span) {
        if (kind != Kind::string) {
            return;
        }
        if (scope == kContainer && key == "id") {
            request.keep_id(json::read_string(span.in(text)), "container");
        } else if (scope == kMetadata && key == "user_id") {
            request.user = span;
        } else if ((scope == kSource || scope == kBlock) && key == "file_id") {
            request.keep_id(json::read_string(span.in(text)), "file_id");
        } else if (scope == kBlock) {
            request.has_history = request.has_history || key == "signature" || key == "data" ||
                                  key == "id" || key == "tool_use_id";
        }
    }
};

}  // namespace

Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch) {
    Reader reader{.text = body, .request = {.surface = path.surface}};
    WEIR_TRY(json::scan(body, json::Duplicates::refused, scratch, reader));
    if (reader.fault) {
        return std::unexpected(std::move(*reader.fault));
    }
    Request& request = reader.request;
    if (!reader.has_messages || reader.messages_empty) {
        return fail(Code::invalid_request, "'messages' must be a non-empty array.")
            .parameter("messages");
    }
    if (path.surface == llm::Surface::count_tokens) {
        request.stream = false;
    } else if (!request.max_output_tokens) {
        return fail(Code::invalid_request,
                    "'max_tokens' is required: say how many tokens the answer may have at most.")
            .parameter("max_tokens");
    }
    request.body_begin = body.find('{') + 1;
    return std::move(request);
}

}  // namespace weir::dialect::anthropic
