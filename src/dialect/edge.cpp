#include "dialect/edge.h"

#include "dialect/anthropic/edge.h"
#include "dialect/bedrock/edge.h"
#include "dialect/gemini/edge.h"
#include "dialect/openai_chat/edge.h"
#include "dialect/openai_responses/edge.h"

namespace weir::dialect {

const ClientEdge* client_edge(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return &openai_chat::client;
        case llm::Dialect::openai_responses:
            return &openai_responses::client;
        case llm::Dialect::anthropic:
            return &anthropic::client;
        case llm::Dialect::gemini:
            return &gemini::client;
        case llm::Dialect::bedrock:
            return nullptr;
    }
    std::unreachable();
}

const ProviderEdge& provider_edge(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return openai_chat::provider;
        case llm::Dialect::openai_responses:
            return openai_responses::provider;
        case llm::Dialect::anthropic:
            return anthropic::provider;
        case llm::Dialect::gemini:
            return gemini::provider;
        case llm::Dialect::bedrock:
            return bedrock::provider;
    }
    std::unreachable();
}

const PassEdge* pass_edge(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return &openai_chat::pass;
        case llm::Dialect::openai_responses:
            return &openai_responses::pass;
        case llm::Dialect::anthropic:
            return &anthropic::pass;
        case llm::Dialect::gemini:
            return &gemini::pass;
        case llm::Dialect::bedrock:
            return nullptr;
    }
    std::unreachable();
}

}  // namespace weir::dialect
