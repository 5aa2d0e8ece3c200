#include "meaning.h"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "dialect/edge.h"
#include "json.h"

namespace weir::conformance {
namespace {

using Kind = llm::Event::Kind;

// A stream's events as the parts of a whole answer.
class Folder final : public dialect::EventSink {
public:
    Result<void> take(const llm::Event& event) override {
        switch (event.kind) {
            case Kind::part_begin:
                parts_[event.part] = begin(event);
                break;
            case Kind::delta:
                append(parts_[event.part], event.text);
                break;
            case Kind::finish:
                choice.finish = event.reason;
                choice.finish_word = event.text;
                break;
            case Kind::usage:
                usage = *event.usage;
                break;
            case Kind::end:
                ++ends;
                break;
            case Kind::start:
            case Kind::signature:
            case Kind::citation:
            case Kind::part_end:
                break;
        }
        return {};
    }
    llm::Answer answer() {
        for (auto& [number, part] : parts_) {
            choice.parts.push_back(std::move(part));
        }
        llm::Answer whole{.usage = usage};
        whole.choices.push_back(std::move(choice));
        return whole;
    }

    int ends = 0;

private:
    static llm::Part begin(const llm::Event& event) {
        switch (event.part_kind) {
            case llm::PartKind::text:
                return {.body = llm::Text{}};
            case llm::PartKind::refusal:
                return {.body = llm::Refusal{}};
            case llm::PartKind::reasoning:
                return {.body = llm::Reasoning{.redacted = event.redacted}};
            case llm::PartKind::tool_call:
                return {.body = llm::ToolCall{.id = std::string(event.id),
                                              .name = std::string(event.name)}};
            case llm::PartKind::media:
                return {.body = llm::Media{.mime = std::string(event.mime)}};
        }
        std::unreachable();
    }
    static void append(llm::Part& part, std::string_view piece) {
        if (auto* text = std::get_if<llm::Text>(&part.body)) {
            text->text += piece;
        } else if (auto* refusal = std::get_if<llm::Refusal>(&part.body)) {
            refusal->text += piece;
        } else if (auto* reasoning = std::get_if<llm::Reasoning>(&part.body)) {
            reasoning->text += piece;
        } else if (auto* call = std::get_if<llm::ToolCall>(&part.body)) {
            call->arguments += piece;
        } else if (auto* media = std::get_if<llm::Media>(&part.body)) {
            media->data += piece;
        }
    }

    llm::Choice choice;
    std::optional<llm::Usage> usage;
    std::map<std::uint32_t, llm::Part> parts_;
};

// Empty: they broke off. Where arguments are objects, Anthropic's documentation names the form in
// which a client is told of such ones.
std::string without_spaces(const std::string& arguments) {
    const auto json = nlohmann::json::parse(arguments.empty() ? "{}" : arguments, nullptr, false);
    return !json.is_object() || json.contains("INVALID_JSON") ? std::string{} : json.dump();
}

Meaning read(const llm::Answer& answer) {
    Meaning meaning;
    const llm::Choice& choice = answer.choices.front();
    bool refused = false;
    for (const llm::Part& part : choice.parts) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            meaning.words += text->text;
        } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
            meaning.words += refusal->text;
            refused = true;
        } else if (const auto* thought = llm::as<llm::Reasoning>(part)) {
            meaning.thoughts += thought->text;
        } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
            if (const auto arguments = without_spaces(call->arguments); !arguments.empty()) {
                meaning.calls.emplace_back(call->name, arguments);
            }
        }
    }
    // Which stop it was, only Anthropic says; that it refused, OpenAI says by the part alone.
    auto finish = choice.finish;
    if (finish == llm::FinishReason::stop_sequence) {
        finish = llm::FinishReason::stop;
    }
    if (refused && finish == llm::FinishReason::stop) {
        finish = llm::FinishReason::content_filter;
    }
    meaning.finish = llm::name(finish);
    if (answer.usage) {
        meaning.input_tokens = answer.usage->input_tokens;
        meaning.cache_read_tokens = answer.usage->cache_read_tokens;
        meaning.output_tokens = answer.usage->output_tokens;
    }
    return meaning;
}

}  // namespace

std::string describe(const Meaning& meaning) {
    std::string calls;
    for (const auto& [name, arguments] : meaning.calls) {
        calls += fmt::format(" {}({})", name, arguments);
    }
    return fmt::format("\"{}\" thinking \"{}\" calling{} finish {} input {} (cached {}) output {}",
                       meaning.words,
                       meaning.thoughts,
                       calls,
                       meaning.finish,
                       meaning.input_tokens,
                       meaning.cache_read_tokens,
                       meaning.output_tokens);
}

Result<Meaning> meaning_of_answer(std::string_view body, llm::Dialect dialect) {
    WEIR_TRY(const auto answer, dialect::provider_edge(dialect).decode_answer(body));
    return read(answer);
}

Result<Meaning> meaning_of_stream(std::string_view body, llm::Dialect dialect) {
    Folder folder;
    const auto decoder = dialect::provider_edge(dialect).decode_stream(false);
    WEIR_TRY(decoder->feed(body, folder));
    WEIR_TRY(decoder->end(folder));
    if (folder.ends != 1) {
        return fail(Code::upstream_invalid_response,
                    fmt::format("the stream ended {} times", folder.ends));
    }
    return read(folder.answer());
}

}  // namespace weir::conformance
