// A request as the admission sees it: one pass, nothing is built.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Kind;
using json::Span;

// They choose a provider: more than a few say nothing new.
constexpr std::size_t kProviderIdsMax = 64;

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
        kStores,
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

    void keep_id(std::string id) {
        auto& ids = request.provider_ids;
        if (!id.empty() && ids.size() < kProviderIdsMax &&
            std::find(ids.begin(), ids.end(), id) == ids.end()) {
            ids.push_back(std::move(id));
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
                return !is_object && (key == "content" || key == "output") ? int{kContent}
                                                                           : json::kIgnored;
            case kContent:
                return is_object ? int{kPart} : json::kIgnored;
            case kTools:
                return is_object ? int{kTool} : json::kIgnored;
            case kTool:
                return !is_object && key == "vector_store_ids" ? int{kStores} : json::kIgnored;
            default:
                return json::kIgnored;
        }
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
            keep_id(std::move(item_id));
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
                }
                return;
            case kPart:
                if (key == "file_id" && is_string) {
                    keep_id(word());
                }
                return;
            case kConversation:
            case kPrompt:
                if (key == "id" && is_string) {
                    keep_id(word());
                }
                return;
            case kStores:
                if (is_string) {
                    keep_id(word());
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
            keep_id(json::read_string(value));
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
        // What is made later could not be fetched here, nor would anyone know what it cost.
        return fail(Code::invalid_request,
                    "'background' needs 'stream': an answer cannot be fetched here later.")
            .parameter("background");
    }
    request.surface = path.surface;
    request.body_begin = body.find('{') + 1;
    if (!path.model.empty()) {
        request.model = path.model;
        request.model_is_foreign = true;
    }
    return std::move(request);
}

}  // namespace weir::dialect::openai_responses
