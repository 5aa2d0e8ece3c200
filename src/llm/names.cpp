#include "llm/names.h"

#include <utility>

#include "base/text.h"
#include "llm/usage.h"

namespace weir::llm {

std::string_view name(Surface surface) {
    switch (surface) {
        case Surface::chat:
            return "chat";
        case Surface::embeddings:
            return "embeddings";
        case Surface::completions:
            return "completions";
        case Surface::responses:
            return "responses";
        case Surface::messages:
            return "messages";
        case Surface::generate:
            return "generate";
        case Surface::count_tokens:
            return "count_tokens";
        case Surface::moderations:
            return "moderations";
        case Surface::images:
            return "images";
        case Surface::audio:
            return "audio";
        case Surface::rerank:
            return "rerank";
        case Surface::converse:
            return "converse";
    }
    std::unreachable();
}

bool is_generation(Surface surface) {
    switch (surface) {
        case Surface::chat:
        case Surface::responses:
        case Surface::messages:
        case Surface::generate:
        case Surface::converse:
            return true;
        case Surface::embeddings:
        case Surface::completions:
        case Surface::count_tokens:
        case Surface::moderations:
        case Surface::images:
        case Surface::audio:
        case Surface::rerank:
            return false;
    }
    std::unreachable();
}

bool passes_through(Surface surface) {
    switch (surface) {
        case Surface::moderations:
        case Surface::images:
        case Surface::audio:
        case Surface::rerank:
            return true;
        case Surface::chat:
        case Surface::responses:
        case Surface::messages:
        case Surface::generate:
        case Surface::converse:
        case Surface::embeddings:
        case Surface::completions:
        case Surface::count_tokens:
            return false;
    }
    std::unreachable();
}

bool may_be_form(Operation operation) {
    switch (operation) {
        case Operation::edit:
        case Operation::variation:
        case Operation::transcription:
        case Operation::translation:
            return true;
        case Operation::only:
        case Operation::generation:
        case Operation::speech:
            return false;
    }
    std::unreachable();
}

Dialect dialect_of(Surface surface) {
    switch (surface) {
        case Surface::responses:
        case Surface::count_tokens:
            return Dialect::openai_responses;
        case Surface::messages:
            return Dialect::anthropic;
        case Surface::generate:
            return Dialect::gemini;
        case Surface::converse:
            return Dialect::bedrock;
        case Surface::chat:
        case Surface::embeddings:
        case Surface::completions:
        case Surface::moderations:
        case Surface::images:
        case Surface::audio:
        case Surface::rerank:
            return Dialect::openai_chat;
    }
    std::unreachable();
}

Surface surface_of(Dialect dialect) {
    switch (dialect) {
        case Dialect::openai_chat:
            return Surface::chat;
        case Dialect::openai_responses:
            return Surface::responses;
        case Dialect::anthropic:
            return Surface::messages;
        case Dialect::gemini:
            return Surface::generate;
        case Dialect::bedrock:
            return Surface::converse;
    }
    std::unreachable();
}

std::string_view name(Dialect dialect) {
    switch (dialect) {
        case Dialect::openai_chat:
            return "openai_chat";
        case Dialect::openai_responses:
            return "openai_responses";
        case Dialect::anthropic:
            return "anthropic";
        case Dialect::gemini:
            return "gemini";
        case Dialect::bedrock:
            return "bedrock";
    }
    std::unreachable();
}

std::string_view name(FinishReason reason) {
    switch (reason) {
        case FinishReason::none:
            return "";
        case FinishReason::stop:
        case FinishReason::stop_sequence:
            return "stop";
        case FinishReason::length:
            return "length";
        case FinishReason::tool_calls:
            return "tool_calls";
        case FinishReason::content_filter:
            return "content_filter";
        case FinishReason::error:
            return "error";
        case FinishReason::other:
            return "other";
    }
    std::unreachable();
}

std::optional<ServiceTier> read_service_tier(std::string_view word) {
    struct Word {
        std::string_view text;
        ServiceTier tier;
    };
    // OpenAI's `default`, Groq's `on_demand`, and what was paid for ahead (`scale`, Bedrock's
    // `reserved`) cost what the price list says; `fast` is OpenAI's newer word for `priority`.
    static constexpr Word kWords[] = {{"default", ServiceTier::standard},
                                      {"standard", ServiceTier::standard},
                                      {"on_demand", ServiceTier::standard},
                                      {"scale", ServiceTier::standard},
                                      {"reserved", ServiceTier::standard},
                                      {"batch", ServiceTier::batch},
                                      {"flex", ServiceTier::flex},
                                      {"priority", ServiceTier::priority},
                                      {"fast", ServiceTier::priority}};
    for (const Word& known : kWords) {
        if (equals_ignoring_case(known.text, word)) {
            return known.tier;
        }
    }
    return std::nullopt;
}

}  // namespace weir::llm
