// A request as the admission sees it: one pass, nothing is built.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Kind;
using json::Span;

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kInput,
        kItem,
        kContent,  // of a message, or the output of a call
        kPart,
        kConversation,
        kPrompt,
        kTools,
        kTool,
        kFiles,
    };

    std::string_view text;
    Request request;
    std::optional<Error> fault;
    bool has_input = false;
    bool continues = false;  // something kept by the provider comes first
    bool background = false;
    std::string item_type, item_id;
    bool item_has_role = false;

    void refuse(std::string_view key, std::string_view expected) {
        if (!fault) {
            fault = fail(Code::invalid_request, fmt::format("'{}' must be {}.", key, expected))
                        .parameter(std::string(key))
                        .error();
        }
    }

    // Where the provider keeps something, whatever holds its name.
    void keep_file(std::string_view key, Span span) {
        for (const std::string_view known : {std::string_view("file_id"),
                                             std::string_view("container_id"),
                                             std::string_view("container")}) {
            if (key == known) {
                request.keep_id(json::read_string(span.in(text)), known);
            }
        }
    }

    int open(int scope, std::string_view key, Kind kind) {
        const bool is_object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                if (!is_object) {
                    refuse("body", "a JSON object");
                }
                return kBody;
            case kBody:
                request.body_is_empty = false;
                return open_field(key, is_object);
            case kInput:
                has_input = true;
                item_type.clear();
                item_id.clear();
                item_has_role = false;
                return is_object ? int{kItem} : json::kIgnored;
            case kItem:
                if (is_object) {
                    return key == "output" || key == "environment" ? int{kPart} : json::kIgnored;
                }
                return key == "content" || key == "output" ? int{kContent} : json::kIgnored;
            case kContent:
                return is_object ? int{kPart} : json::kIgnored;
            case kTools:
                return is_object ? int{kTool} : json::kIgnored;
            case kTool:
                return open_in_tool(key, is_object);
            default:
                return json::kIgnored;
        }
    }

    // Also in what a tool holds: a container, a mask, tools of a name space. What the caller's own
    // functions take is the caller's.
    static int open_in_tool(std::string_view key, bool is_object) {
        if (is_object) {
            return key == "parameters" || key == "headers" || key == "filters" || key == "format"
                       ? json::kIgnored
                       : int{kTool};
        }
        return key == "vector_store_ids" || key == "file_ids" ? int{kFiles}
               : key == "tools"                               ? int{kTools}
                                                              : json::kIgnored;
    }

    int open_field(std::string_view key, bool is_object) {
        if (key == "input" && !is_object) {
            return kInput;
        }
        if (key == "conversation" && is_object) {
            continues = true;
            return kConversation;
        }
        if (key == "prompt" && is_object) {
            continues = true;
            return kPrompt;
        }
        if (key == "tools" && !is_object) {
            return kTools;
        }
        wrong_kind(key);
        return json::kIgnored;
    }

    void wrong_kind(std::string_view key) {
        if (key == "model" || key == "previous_response_id") {
            refuse(key, "a string");
        } else if (key == "stream" || key == "background") {
            refuse(key, "true or false");
        } else if (key == "max_output_tokens") {
            refuse(key, "a whole number");
        } else if (key == "input") {
            refuse(key, "a string or an array of items");
        } else if (key == "conversation") {
            refuse(key, "a string or an object");
        } else if (key == "prompt") {
            refuse(key, "an object");
        } else if (key == "tools") {
            refuse(key, "an array");
        }
    }

    void close(int scope, Span) {
        const bool is_reference =
            item_type == "item_reference" || (item_type.empty() && !item_has_role);
        if (scope == kItem && is_reference) {
            request.keep_id(std::move(item_id), "input", false);
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const bool is_string = kind == Kind::string;
        const auto word = [&] { return json::read_string(span.in(text)); };
        switch (scope) {
            case json::kRoot:
                refuse("body", "a JSON object");
                return;
            case kBody:
                request.body_is_empty = false;
                return field(key, kind, span);
            case kInput:
                has_input = true;  // what it is, the decoder or the provider says
                return;
            case kItem:
                if (key == "type" && is_string) {
                    item_type = word();
                } else if (key == "id" && is_string) {
                    item_id = word();
                } else if (key == "role") {
                    item_has_role = true;
                } else if (key == "call_id" || key == "encrypted_content") {
                    request.has_history = true;
                } else if (is_string) {
                    keep_file(key, span);
                }
                return;
            case kPart:
            case kTool:
                if (is_string) {
                    keep_file(key, span);
                }
                return;
            case kConversation:
                if (key == "id" && is_string) {
                    request.keep_id(word(), "conversation", false);
                }
                return;
            case kPrompt:
                if (key == "id" && is_string) {
                    request.keep_id(word(), "prompt");
                }
                return;
            case kFiles:
                if (is_string) {
                    request.keep_id(word(), "tools");
                }
                return;
            default:
                return;
        }
    }

    void field(std::string_view key, Kind kind, Span span) {
        const std::string_view value = span.in(text);
        const bool is_string = kind == Kind::string;
        const bool is_switch = kind == Kind::true_ || kind == Kind::false_;
        if (key == "model") {
            if (!is_string || span.size == 2) {
                return refuse(key, "a string");
            }
            request.model = json::read_string(value);
            request.model_span = span;
        } else if (kind == Kind::null) {
            return;  // all others may be null
        } else if (key == "prompt_cache_key" && is_string) {
            request.cache_key = span;
        } else if (key == "user" && is_string) {
            request.user = span;
        } else if (key == "input") {
            has_input = is_string && span.size > 2;
            if (!is_string) {
                wrong_kind(key);
            }
        } else if (key == "stream" || key == "background") {
            if (!is_switch) {
                return wrong_kind(key);
            }
            (key == "stream" ? request.stream : background) = kind == Kind::true_;
        } else if (key == "max_output_tokens") {
            const auto number = kind == Kind::number ? json::read_integer(value) : std::nullopt;
            if (!number || *number < 1) {
                return refuse(key, "a whole number, at least 1");
            }
            request.max_output_tokens = number;
        } else if (key == "service_tier" && is_string) {
            request.service_tier = json::read_string(value);
        } else if (key == "previous_response_id" || key == "conversation") {
            if (!is_string) {
                return wrong_kind(key);
            }
            continues = true;
            const bool is_response = key == "previous_response_id";
            request.keep_id(json::read_string(value),
                            is_response ? "previous_response_id" : "conversation",
                            false);
        } else if (key == "prompt" || key == "tools") {
            wrong_kind(key);
        }
    }
};

}  // namespace

Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch) {
    Reader reader{.text = body};
    WEIR_TRY(json::scan(body, json::Duplicates::refused, scratch, reader));
    if (reader.fault) {
        return std::unexpected(std::move(*reader.fault));
    }
    Request& request = reader.request;
    if (!reader.has_input && !reader.continues) {
        return fail(Code::invalid_request,
                    "'input' must be a string or an array of items, not empty.")
            .parameter("input");
    }
    if (reader.background && !request.stream) {
        // A call is paid for before its answer leaves, once; what is made later has no price yet,
        // and nobody may ever fetch it. The end of a stream tells.
        return fail(Code::invalid_request,
                    "'background' needs 'stream': what an answer costs must be known when the call "
                    "ends.")
            .parameter("background");
    }
    request.surface = path.surface;
    if (path.surface == llm::Surface::count_tokens) {
        request.stream = false;
        request.max_output_tokens.reset();
    }
    request.body_begin = body.find('{') + 1;
    if (!path.model.empty()) {
        request.model = path.model;
        request.model_is_foreign = true;
    }
    return std::move(request);
}

}  // namespace weir::dialect::openai_responses
