#include "dialect/edge.h"

#include "dialect/openai_chat/edge.h"

namespace weir::dialect {

const ClientEdge* client_edge(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return &openai_chat::client;
        case llm::Dialect::openai_responses:
        case llm::Dialect::anthropic:
        case llm::Dialect::gemini:
        case llm::Dialect::bedrock:
            return nullptr;
    }
    std::unreachable();
}

const ProviderEdge* provider_edge(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return &openai_chat::provider;
        case llm::Dialect::openai_responses:
        case llm::Dialect::anthropic:
        case llm::Dialect::gemini:
        case llm::Dialect::bedrock:
            return nullptr;
    }
    std::unreachable();
}

const PassEdge* pass_edge(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return &openai_chat::pass;
        case llm::Dialect::openai_responses:
        case llm::Dialect::anthropic:
        case llm::Dialect::gemini:
        case llm::Dialect::bedrock:
            return nullptr;
    }
    std::unreachable();
}

}  // namespace weir::dialect
