#include "tokens/call.h"

#include "tokens/count.h"

namespace weir::tokens {
namespace {

// A tool is written out for the model with a few words around it.
constexpr std::int64_t kTokensPerTool = 8;

struct Counter {
    std::string text{};  // all of it: the encodings cut at blanks and line ends anyhow
    std::int64_t other = 0;

    void add(std::string_view words) {
        text += words;
        text += '\n';
    }
    void add(const llm::Part& part) {
        if (const auto* one = llm::as<llm::Text>(part)) {
            add(one->text);
        } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
            add(refusal->text);
        } else if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
            add(reasoning->text);
        } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
            add(call->name);
            add(call->arguments);
        } else if (const auto* result = llm::as<llm::ToolResult>(part)) {
            for (const llm::Part& inner : result->content) {
                add(inner);
            }
        } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            add(opaque->json);
        } else if (const auto* media = llm::as<llm::Media>(part)) {
            add(*media);
        }
    }
    void add(const llm::Media& media) {
        if (media.is_plain_text) {
            add(media.data);
        } else if (media.kind == llm::MediaKind::image) {
            other += kTokensPerImage;
        } else {
            other += kTokensPerPage * static_cast<std::int64_t>(1 + media.data.size() / kPageBytes);
        }
    }
};

}  // namespace

std::int64_t count(const llm::Call& call, std::string_view model) {
    Counter counter;
    for (const llm::Message& message : call.messages) {
        counter.other += kTokensPerMessage;
        for (const llm::Part& part : message.parts) {
            counter.add(part);
        }
    }
    for (const llm::Tool& tool : call.tools) {
        counter.other += kTokensPerTool;
        counter.add(tool.name);
        counter.add(tool.description);
        counter.add(tool.schema.empty() ? tool.opaque_json : tool.schema);
    }
    if (!call.format.schema.empty()) {
        counter.add(call.format.schema);
    }
    const auto encoding = encoding_of(model);
    const std::int64_t words = encoding ? count(*encoding, counter.text) : estimate(counter.text);
    return words + counter.other + kTokensOfReplyStart;
}

}  // namespace weir::tokens
