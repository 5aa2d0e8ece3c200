// The words that every layer shares: which surface, whose dialect, who speaks, why it stopped.
// Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::llm {

// Where a call came in. The name is a metric label and a ledger column.
enum class Surface : std::uint8_t {
    chat,          // OpenAI Chat Completions
    embeddings,    // OpenAI's form
    completions,   // OpenAI's legacy form
    responses,     // OpenAI Responses
    messages,      // Anthropic Messages
    generate,      // Gemini generateContent
    count_tokens,  // of any dialect
    moderations,
    images,
    audio,
    rerank,
    converse,  // Bedrock Converse: of providers only
};
inline constexpr std::size_t kSurfaceCount = static_cast<std::size_t>(Surface::converse) + 1;
std::string_view name(Surface surface);
// A model is asked to say something: such a call can be translated.
bool is_generation(Surface surface);

// The provider's answer is nothing to Weir but its price: bytes pass, between one shape on both
// sides.
bool passes_through(Surface surface);

// Which of a surface's calls, where it has several: each has a path of its own.
enum class Operation : std::uint8_t {
    only,
    generation,  // images
    edit,
    variation,
    speech,  // audio
    transcription,
    translation,  // of what is heard, into English
};
// Its request may be a form (multipart/form-data) with files in it.
bool may_be_form(Operation operation);

// The shape of the bytes. Bedrock's Converse is spoken by a provider only.
enum class Dialect : std::uint8_t { openai_chat, openai_responses, anthropic, gemini, bedrock };
inline constexpr std::size_t kDialectCount = 5;
std::string_view name(Dialect dialect);
// Where a dialect's generation calls go.
Surface surface_of(Dialect dialect);
// Whose a surface is. Counting and embeddings exist in several forms: this is OpenAI's.
Dialect dialect_of(Surface surface);

enum class Role : std::uint8_t { system, developer, user, assistant };

// Why the model stopped, in the normal form of API-MAPPING 4.1. `other` is one we do not know: it
// passes on as it came. `error`: the provider failed, but said so as a reason to stop.
enum class FinishReason : std::uint8_t {
    none,
    stop,
    stop_sequence,  // one of the caller's
    length,
    tool_calls,
    content_filter,
    error,
    other,
};
// As OpenAI's chat says it.
std::string_view name(FinishReason reason);

}  // namespace weir::llm
