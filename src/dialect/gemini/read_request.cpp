// What the admission must know of a client's request, in one pass.
#include <fmt/format.h>

#include "dialect/gemini/codec.h"
#include "dialect/gemini/fields.h"
#include "dialect/gemini/media.h"
#include "dialect/json/value.h"

namespace weir::dialect::gemini {
namespace {

using json::Kind;
using json::Span;

// Gemini's own ceiling is 8; this one only keeps a wrong figure out of the reckoning.
constexpr std::int64_t kChoicesMax = 128;

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kContents,
        kContent,
        kParts,
        kPart,
        kFile,
        kConfig,
        kTools,
        kTool,
        kSearch,
        kStores,
    };

    std::string_view text;
    bool counts_tokens = false;
    Request request;
    std::optional<Error> fault;
    bool has_contents = false;

    void refuse(std::string_view key, std::string_view expected) {
        if (!fault) {
            fault = fail(Code::invalid_request, fmt::format("'{}' must be {}.", key, expected))
                        .parameter(std::string(key))
                        .error();
        }
    }

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                if (!object) {
                    refuse("body", "a JSON object");
                }
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                request.body_is_empty = false;
                return open_body(key, object);
            case kContents:
                has_contents = true;
                return object ? int{kContent} : json::kIgnored;
            case kContent:
                return key == "parts" && !object ? int{kParts} : json::kIgnored;
            case kParts:
                return object ? int{kPart} : json::kIgnored;
            case kPart:
                return !object                             ? json::kIgnored
                       : is_field(key, "fileData")         ? int{kFile}
                       : is_field(key, "functionResponse") ? int{kContent}
                                                           : json::kIgnored;
            case kTools:
                return object ? int{kTool} : json::kIgnored;
            case kTool:
                return object && is_field(key, "fileSearch") ? int{kSearch} : json::kIgnored;
            case kSearch:
                return !object && is_field(key, "fileSearchStoreNames") ? int{kStores}
                                                                        : json::kIgnored;
            case kConfig:
                wrong_number(key);
                return json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    int open_body(std::string_view key, bool object) {
        if (key == "contents") {
            if (object) {
                refuse(key, "a non-empty array");
            }
            return kContents;
        }
        if (is_field(key, "generationConfig")) {
            if (!object) {
                refuse(key, "an object");
            }
            return kConfig;
        }
        if (is_field(key, "systemInstruction") && object) {
            return kContent;
        }
        if (key == "tools" && !object) {
            return kTools;
        }
        const bool is_nested = counts_tokens && is_field(key, "generateContentRequest");
        return is_nested && object ? int{kBody} : json::kIgnored;
    }

    void close(int, Span) {}

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const bool is_string = kind == Kind::string;
        switch (scope) {
            case json::kRoot:
                refuse("body", "a JSON object");
                return;
            case kBody:
                request.body_is_empty = false;
                if (kind == Kind::null) {
                    return;
                }
                if (key == "contents") {
                    refuse(key, "a non-empty array");
                } else if (is_field(key, "generationConfig")) {
                    refuse(key, "an object");
                } else if (is_field(key, "serviceTier") && is_string) {
                    request.service_tier = json::read_string(span.in(text));
                } else if (key == "model" && counts_tokens && is_string) {
                    request.model_span = span;  // of the whole request: it must be the path's
                } else if (is_field(key, "cachedContent") && is_string) {
                    request.keep_id(json::read_string(span.in(text)), "cachedContent");
                }
                return;
            case kContents:
                refuse("contents", "an array of objects");
                return;
            case kPart:
                request.has_history = request.has_history || is_field(key, "thoughtSignature");
                return;
            case kFile:
                if (is_field(key, "fileUri") && is_string) {
                    keep_file(json::read_string(span.in(text)));
                }
                return;
            case kStores:
                if (is_string) {
                    request.keep_id(json::read_string(span.in(text)), "tools");
                }
                return;
            case kConfig:
                if (is_field(key, "maxOutputTokens")) {
                    request.max_output_tokens = count(key, kind, span);
                } else if (is_field(key, "candidateCount")) {
                    request.choices = count(key, kind, span).value_or(1);
                    if (request.choices > kChoicesMax) {
                        wrong_number(key);
                    }
                }
                return;
            default:
                return;
        }
    }

    // What lies elsewhere belongs to nobody here.
    void keep_file(std::string uri) {
        if (is_kept_by_google(uri)) {
            request.keep_id(std::move(uri), "fileUri");
        }
    }

    void wrong_number(std::string_view key) {
        if (is_field(key, "maxOutputTokens") || is_field(key, "candidateCount")) {
            refuse(fmt::format("generationConfig.{}", key), "a whole number, at least 1");
        }
    }

    std::optional<std::int64_t> count(std::string_view key, Kind kind, Span span) {
        std::string_view value = span.in(text);
        if (kind == Kind::null) {
            return std::nullopt;
        }
        if (kind == Kind::string) {
            value = json::between_quotes(value);
        }
        const auto number = json::read_integer(value);
        if (!number || *number < 1) {
            wrong_number(key);
            return std::nullopt;
        }
        return number;
    }
};

}  // namespace

Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch) {
    Reader reader{.text = body,
                  .counts_tokens = path.surface == llm::Surface::count_tokens,
                  .request = {},
                  .fault = {}};
    WEIR_TRY(json::scan(body, json::Duplicates::refused, scratch, reader));
    if (reader.fault) {
        return std::unexpected(std::move(*reader.fault));
    }
    const bool wants_contents = path.surface == llm::Surface::generate || reader.counts_tokens;
    if (wants_contents && !reader.has_contents) {
        return fail(Code::invalid_request, "'contents' must be a non-empty array.")
            .parameter("contents");
    }
    Request& request = reader.request;
    request.surface = path.surface;
    request.model = path.model;
    request.model_in_body = false;
    request.stream = path.stream;
    request.body_begin = body.find('{') + 1;
    return std::move(request);
}

}  // namespace weir::dialect::gemini
