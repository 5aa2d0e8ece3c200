// What distinguishes one kind of provider from another, as data: where it is, how it is asked, what
// it calls its paths. Adding an OpenAI-compatible kind is one file in kinds/ with one constant, and
// its name in the list in CMakeLists.txt, which writes the catalog.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "llm/names.h"

namespace weir::provider {

// How the credential travels.
enum class Auth : std::uint8_t {
    bearer,          // Authorization: Bearer
    api_key,         // api-key (Azure)
    x_api_key,       // Anthropic
    x_goog_api_key,  // Gemini
    aws,             // a signature of each request, or a bearer key
};

// Where the calls of one surface go.
struct Endpoint {
    llm::Surface surface = llm::Surface::chat;
    std::string_view path;           // behind the base URL; `{model}` stands for the model's name
    std::string_view stream_path{};  // where a stream has its own; empty: the same
    llm::Operation operation = llm::Operation::only;
    // Whose form its bytes have; unset: the surface says it.
    std::optional<llm::Dialect> dialect{};
};

// What most servers that speak OpenAI's API have.
inline constexpr Endpoint kCompatibleEndpoints[] = {
    {llm::Surface::chat, "/chat/completions"},
    {llm::Surface::embeddings, "/embeddings"},
    {llm::Surface::completions, "/completions"},
};
inline constexpr Endpoint kResponsesEndpoints[] = {{llm::Surface::responses, "/responses"}};
inline constexpr Endpoint kInputTokensEndpoints[] = {
    {llm::Surface::count_tokens, "/responses/input_tokens"}};
// Surfaces that pass through, at OpenAI's paths.
inline constexpr Endpoint kModerationEndpoints[] = {{llm::Surface::moderations, "/moderations"}};
inline constexpr Endpoint kImageEndpoints[] = {
    {llm::Surface::images, "/images/generations", {}, llm::Operation::generation},
    {llm::Surface::images, "/images/edits", {}, llm::Operation::edit},
    {llm::Surface::images, "/images/variations", {}, llm::Operation::variation},
};
inline constexpr Endpoint kSpeechEndpoints[] = {
    {llm::Surface::audio, "/audio/speech", {}, llm::Operation::speech},
};
inline constexpr Endpoint kTranscriptionEndpoints[] = {
    {llm::Surface::audio, "/audio/transcriptions", {}, llm::Operation::transcription},
};
inline constexpr Endpoint kTranslationEndpoints[] = {
    {llm::Surface::audio, "/audio/translations", {}, llm::Operation::translation},
};
// Cohere's and Jina's shape, which the others took over.
inline constexpr Endpoint kRerankEndpoints[] = {{llm::Surface::rerank, "/rerank"}};

// One list of several.
template <std::size_t... kSizes>
constexpr std::array<Endpoint, (kSizes + ...)> joined(const Endpoint (&... lists)[kSizes]) {
    std::array<Endpoint, (kSizes + ...)> all{};
    std::size_t at = 0;
    const auto add = [&](std::span<const Endpoint> list) {
        for (const Endpoint& endpoint : list) {
            all[at++] = endpoint;
        }
    };
    (add(lists), ...);
    return all;
}

// In a default base URL: what the configuration's `region` says.
inline constexpr std::string_view kRegion = "{region}";

struct ProviderKind {
    std::string_view name;      // `kind:` in the configuration
    std::string_view base_url;  // default; empty: the configuration must name one
    std::string_view
        key_variable;  // environment variable that adds the provider by itself; empty: none
    // What it speaks: surfaces that it has no endpoint for are translated into this.
    llm::Dialect dialect = llm::Dialect::openai_chat;
    Auth auth = Auth::bearer;
    bool needs_key = true;
    std::span<const Endpoint> endpoints = kCompatibleEndpoints;
    // In the place of `endpoints` where the configuration names an `api_version`, which goes into
    // the query. Empty: there is no such form.
    std::span<const Endpoint> versioned_endpoints{};
    // Where its models are listed, which costs nothing; empty: nowhere.
    std::string_view models_path = "/models";
    // A field that says which version of the API is spoken, and the one that translations speak.
    std::string_view version_field{};
    std::string_view version{};
    // AWS: what requests are signed for.
    std::string_view aws_service{};
    // Fields of a client of the same dialect that go along: its own version, what it opted into.
    std::span<const std::string_view> dialect_fields{};
    // Servers that close idle connections early (vLLM after 5 s) need a shorter pool life.
    std::uint32_t idle_seconds = 55;
    // Known to leave out [DONE]; a seen finish_reason then completes a stream.
    bool may_omit_done = false;
    // OpenAI's chat: knows the limit as `max_tokens` only.
    bool has_old_limit_name = true;
    // Top-level fields outside the dialect that it takes.
    std::span<const std::string_view> passed_fields{};
};

// All kinds, in the order of the list in CMakeLists.txt.
std::span<const ProviderKind* const> all_kinds();
// nullptr where there is none of that name.
const ProviderKind* find_kind(std::string_view name);

}  // namespace weir::provider
