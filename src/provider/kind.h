// What distinguishes one kind of provider from another, as data: where it is, how it is asked, what
// it calls its paths. Adding an OpenAI-compatible kind is one file in kinds/ with one constant, and
// its name in the list in CMakeLists.txt, which writes the catalog.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir::provider {

enum class Dialect : std::uint8_t { openai_chat };
// How the credential travels.
enum class Auth : std::uint8_t { bearer, api_key_header, none };

struct ProviderKind {
    std::string_view name;      // `kind:` in the configuration
    std::string_view base_url;  // default; empty: the configuration must name one
    std::string_view
        key_variable;  // environment variable that adds the provider by itself; empty: none
    Dialect dialect = Dialect::openai_chat;
    Auth auth = Auth::bearer;
    bool needs_key = true;
    std::string_view chat_path = "/chat/completions";
    std::string_view embeddings_path = "/embeddings";
    // Servers that close idle connections early (vLLM after 5 s) need a shorter pool life.
    std::uint32_t idle_seconds = 55;
    // Known to leave out [DONE]; a seen finish_reason then completes a stream.
    bool may_omit_done = false;
};

// All kinds, in the order of the list in CMakeLists.txt.
std::span<const ProviderKind* const> all_kinds();
// nullptr where there is none of that name.
const ProviderKind* find_kind(std::string_view name);

}  // namespace weir::provider
