#include "simulate/door.h"

namespace weir::simulate {
namespace {

using llm::Dialect;
using llm::Operation;
using llm::Surface;

struct Entry {
    std::string_view path;
    Surface surface;
    Dialect dialect;
    Operation operation = Operation::only;
};
constexpr Entry kEntries[] = {
    {"/v1/chat/completions", Surface::chat, Dialect::openai_chat},
    {"/v1/embeddings", Surface::embeddings, Dialect::openai_chat},
    {"/v1/responses", Surface::responses, Dialect::openai_responses},
    {"/v1/messages", Surface::messages, Dialect::anthropic},
    {"/v1/messages/count_tokens", Surface::count_tokens, Dialect::anthropic},
    {"/v1/responses/input_tokens", Surface::count_tokens, Dialect::openai_responses},
    {"/v1/completions", Surface::completions, Dialect::openai_chat},
    {"/v1/moderations", Surface::moderations, Dialect::openai_chat},
    {"/v1/images/generations", Surface::images, Dialect::openai_chat, Operation::generation},
    {"/v1/images/edits", Surface::images, Dialect::openai_chat, Operation::edit},
    {"/v1/images/variations", Surface::images, Dialect::openai_chat, Operation::variation},
    {"/v1/audio/speech", Surface::audio, Dialect::openai_chat, Operation::speech},
    {"/v1/audio/transcriptions", Surface::audio, Dialect::openai_chat, Operation::transcription},
    {"/v1/audio/translations", Surface::audio, Dialect::openai_chat, Operation::translation},
    {"/v1/rerank", Surface::rerank, Dialect::openai_chat},
};

struct Verb {
    std::string_view name;
    Surface surface;
    bool stream;
};
constexpr Verb kVerbs[] = {
    {":generateContent", Surface::generate, false},
    {":streamGenerateContent", Surface::generate, true},
    {":countTokens", Surface::count_tokens, false},
    {":embedContent", Surface::embeddings, false},
    {":batchEmbedContents", Surface::embeddings, false},
};

}  // namespace

std::optional<Door> find_door(std::string_view path) {
    for (const Entry& entry : kEntries) {
        if (path == entry.path) {
            return Door{.surface = entry.surface,
                        .operation = entry.operation,
                        .dialect = entry.dialect,
                        .model = {}};
        }
    }
    for (const std::string_view prefix : {"/v1beta/models/", "/v1/models/"}) {
        for (const Verb& verb : kVerbs) {
            if (path.starts_with(prefix) && path.ends_with(verb.name)) {
                path.remove_prefix(prefix.size());
                path.remove_suffix(verb.name.size());
                return Door{.surface = verb.surface,
                            .dialect = Dialect::gemini,
                            .model = std::string(path),
                            .stream = verb.stream};
            }
        }
    }
    // Azure's deployments.
    constexpr std::string_view kDeployments = "/openai/deployments/";
    constexpr std::string_view kChat = "/chat/completions";
    if (path.starts_with(kDeployments) && path.ends_with(kChat)) {
        path.remove_prefix(kDeployments.size());
        path.remove_suffix(kChat.size());
        return Door{.model = std::string(path)};
    }
    return std::nullopt;
}

}  // namespace weir::simulate
