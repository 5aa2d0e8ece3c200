#include "llm/names.h"

#include <utility>

namespace weir::llm {

std::string_view name(Surface surface) {
    switch (surface) {
        case Surface::chat:
            return "chat";
        case Surface::embeddings:
            return "embeddings";
    }
    std::unreachable();
}

std::string_view name(FinishReason reason) {
    switch (reason) {
        case FinishReason::none:
            return "";
        case FinishReason::stop:
            return "stop";
        case FinishReason::length:
            return "length";
        case FinishReason::tool_calls:
            return "tool_calls";
        case FinishReason::content_filter:
            return "content_filter";
        case FinishReason::other:
            return "other";
    }
    std::unreachable();
}

}  // namespace weir::llm
