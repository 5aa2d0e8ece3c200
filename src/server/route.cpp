#include "server/route.h"

#include <algorithm>
#include <optional>

#include "admin/api.h"

namespace weir::server {
namespace {

using llm::Dialect;
using llm::Operation;
using llm::Surface;

constexpr std::string_view kModels = "/models";
constexpr std::string_view kPost = "POST";
constexpr std::string_view kGet = "GET, HEAD";

struct Entry {
    std::string_view path;  // behind the prefix
    Surface surface;
    Dialect dialect;
    Operation operation = Operation::only;
};
constexpr Entry kCalls[] = {
    {"/chat/completions", Surface::chat, Dialect::openai_chat},
    {"/completions", Surface::completions, Dialect::openai_chat},
    {"/embeddings", Surface::embeddings, Dialect::openai_chat},
    {"/responses", Surface::responses, Dialect::openai_responses},
    {"/responses/input_tokens", Surface::count_tokens, Dialect::openai_responses},
    {"/messages", Surface::messages, Dialect::anthropic},
    {"/messages/count_tokens", Surface::count_tokens, Dialect::anthropic},
    {"/moderations", Surface::moderations, Dialect::openai_chat},
    {"/images/generations", Surface::images, Dialect::openai_chat, Operation::generation},
    {"/images/edits", Surface::images, Dialect::openai_chat, Operation::edit},
    {"/images/variations", Surface::images, Dialect::openai_chat, Operation::variation},
    {"/audio/speech", Surface::audio, Dialect::openai_chat, Operation::speech},
    {"/audio/transcriptions", Surface::audio, Dialect::openai_chat, Operation::transcription},
    {"/audio/translations", Surface::audio, Dialect::openai_chat, Operation::translation},
    {"/rerank", Surface::rerank, Dialect::openai_chat},
};

struct Verb {
    std::string_view name;  // behind the model's name
    Surface surface;
    bool stream;
};
constexpr Verb kVerbs[] = {
    {":generateContent", Surface::generate, false},
    {":streamGenerateContent", Surface::generate, true},
    {":countTokens", Surface::count_tokens, false},
};

std::optional<unsigned char> hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned char>(c - '0');
    }
    const char lower = static_cast<char>(c | 0x20);
    if (lower >= 'a' && lower <= 'f') {
        return static_cast<unsigned char>(lower - 'a' + 10);
    }
    return std::nullopt;
}

// nullopt: a broken escape, or a NUL, which no name has.
std::optional<std::string> decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        if (i + 2 >= text.size()) {
            return std::nullopt;
        }
        const auto high = hex_digit(text[i + 1]);
        const auto low = hex_digit(text[i + 2]);
        if (!high || !low || (*high == 0 && *low == 0)) {
            return std::nullopt;
        }
        decoded += static_cast<char>(*high << 4 | *low);
        i += 2;
    }
    return decoded;
}

// The inference surface stands under several: SDKs say /v1, Weir's own API is /api/v1.
std::string_view without_prefix(std::string_view path) {
    for (const std::string_view prefix : {"/v1", "/api/v1", "/openai/v1"}) {
        if (path.starts_with(prefix) && path.substr(prefix.size()).starts_with('/')) {
            return path.substr(prefix.size());
        }
    }
    return {};
}

// "/models/{m}:generateContent" and its kin. The name may have slashes, escaped or not.
Routed find_verb(std::string_view rest) {
    for (const Verb& verb : kVerbs) {
        if (!rest.ends_with(verb.name) || rest.size() <= kModels.size() + 1 + verb.name.size()) {
            continue;
        }
        const auto model = decode(
            rest.substr(kModels.size() + 1, rest.size() - kModels.size() - 1 - verb.name.size()));
        if (model) {
            return {.route = Route::call,
                    .allow = kPost,
                    .surface = verb.surface,
                    .dialect = Dialect::gemini,
                    .item = *model,
                    .stream = verb.stream};
        }
    }
    return {};
}

Routed find_model(std::string_view rest, Dialect dialect) {
    if (rest == kModels) {
        return {.route = Route::models, .allow = kGet, .dialect = dialect};
    }
    if (!rest.starts_with(kModels) || rest.size() <= kModels.size() + 1 ||
        rest[kModels.size()] != '/') {
        return {};
    }
    if (Routed verb = find_verb(rest); verb.route != Route::none) {
        return verb;
    }
    auto model = decode(rest.substr(kModels.size() + 1));
    if (!model) {
        return {};
    }
    return {.route = Route::model, .allow = kGet, .dialect = dialect, .item = std::move(*model)};
}

// What a provider keeps of a response. Ids are letters, digits, '-' and '_': whatever else stands
// in the path would be judged here and served there.
Routed find_kept(std::string_view rest) {
    constexpr std::string_view kResponses = "/responses/";
    if (!rest.starts_with(kResponses)) {
        return {};
    }
    rest.remove_prefix(kResponses.size());
    const std::string_view id = rest.substr(0, rest.find('/'));
    const std::string_view tail = rest.substr(id.size());
    const bool is_id = !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_';
    });
    const std::string_view allow = tail.empty()             ? "GET, HEAD, DELETE"
                                   : tail == "/cancel"      ? kPost
                                   : tail == "/input_items" ? kGet
                                                            : std::string_view{};
    if (!is_id || allow.empty()) {
        return {};
    }
    return {.route = Route::kept,
            .allow = allow,
            .surface = Surface::responses,
            .dialect = Dialect::openai_responses,
            .item = std::string(id),
            .rest = tail};
}

// Azure's clients: /openai/deployments/{d}/chat/completions.
Routed find_deployment(std::string_view path) {
    constexpr std::string_view kPrefix = "/openai/deployments/";
    if (!path.starts_with(kPrefix)) {
        return {};
    }
    path.remove_prefix(kPrefix.size());
    const std::size_t slash = path.find('/');
    const auto model = decode(path.substr(0, slash));
    if (slash == std::string_view::npos || slash == 0 || !model) {
        return {};
    }
    for (const Entry& entry : kCalls) {
        if (entry.dialect == Dialect::openai_chat && entry.path == path.substr(slash)) {
            return {.route = Route::call,
                    .allow = kPost,
                    .surface = entry.surface,
                    .operation = entry.operation,
                    .dialect = entry.dialect,
                    .item = *model};
        }
    }
    return {};
}

}  // namespace

Routed find_route(std::string_view path) {
    constexpr std::string_view kGemini = "/v1beta";
    if (path.starts_with(kGemini)) {
        const std::string_view rest = path.substr(kGemini.size());
        if (rest.starts_with("/openai/")) {  // Google's own place for OpenAI's clients
            return find_route("/v1" + std::string(rest.substr(std::string_view("/openai").size())));
        }
        return find_model(rest, Dialect::gemini);
    }
    // Cohere's clients ask for its second version, whose shape is the first one's.
    const std::string_view rest = path == "/v2/rerank" ? "/rerank" : without_prefix(path);
    for (const Entry& entry : kCalls) {
        if (rest == entry.path) {
            return {.route = Route::call,
                    .allow = kPost,
                    .surface = entry.surface,
                    .operation = entry.operation,
                    .dialect = entry.dialect,
                    .item = {}};
        }
    }
    if (Routed kept = find_kept(rest); kept.route != Route::none) {
        return kept;
    }
    if (Routed model = find_model(rest, Dialect::openai_chat); model.route != Route::none) {
        return model;
    }
    if (Routed deployment = find_deployment(path); deployment.route != Route::none) {
        return deployment;
    }
    if (const auto allow = admin::allowed_methods(path); !allow.empty()) {
        return {.route = Route::admin, .allow = allow, .item = {}};
    }
    return {};
}

bool is_allowed(std::string_view allow, std::string_view method) {
    while (!allow.empty()) {
        const std::size_t comma = std::min(allow.find(", "), allow.size());
        if (allow.substr(0, comma) == method) {
            return true;
        }
        allow.remove_prefix(std::min(comma + 2, allow.size()));
    }
    return false;
}

std::string query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (pair.substr(0, equals) == name && equals != std::string_view::npos) {
            return decode(pair.substr(equals + 1)).value_or("");
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

}  // namespace weir::server
