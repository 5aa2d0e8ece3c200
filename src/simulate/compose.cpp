#include "simulate/compose.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "simulate/example.h"
#include "simulate/words.h"

namespace weir::simulate {
namespace {

constexpr std::int64_t kThoughtTokens = 6;
constexpr std::size_t kArgumentPieceBytes = 7;  // so that escapes and numbers are cut in two

void append_text(const llm::Part& part, std::string& into) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        into += text->text;
    } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
        into += call->arguments;
    } else if (const auto* result = llm::as<llm::ToolResult>(part)) {
        for (const llm::Part& inner : result->content) {
            append_text(inner, into);
        }
    } else if (const auto* media = llm::as<llm::Media>(part)) {
        into += media->data.substr(0, 64);
    }
}

std::string last_words(const llm::Call& call) {
    std::string words;
    if (!call.messages.empty() && call.messages.back().role == llm::Role::user) {
        for (const llm::Part& part : call.messages.back().parts) {
            if (llm::as<llm::Text>(part) != nullptr) {
                append_text(part, words);
            }
        }
    }
    return words;
}

bool has_results(const llm::Call& call) {
    return !call.messages.empty() &&
           std::any_of(
               call.messages.back().parts.begin(),
               call.messages.back().parts.end(),
               [](const llm::Part& part) { return llm::as<llm::ToolResult>(part) != nullptr; });
}

std::vector<const llm::Tool*> tools_to_call(const llm::Call& call) {
    using Mode = llm::ToolChoice::Mode;
    std::vector<const llm::Tool*> chosen;
    const llm::ToolChoice& choice = call.tool_choice;
    if (choice.mode == Mode::none || has_results(call)) {
        return chosen;
    }
    const std::string words = last_words(call);
    for (const llm::Tool& tool : call.tools) {
        const bool is_allowed =
            tool.opaque_json.empty() &&
            (choice.allowed.empty() ||
             std::find(choice.allowed.begin(), choice.allowed.end(), tool.name) !=
                 choice.allowed.end());
        const bool is_named = choice.mode == Mode::named
                                  ? tool.name == choice.name
                                  : words.find(tool.name) != std::string::npos;
        if (is_allowed && is_named) {
            chosen.push_back(&tool);
        }
    }
    if (chosen.empty() && choice.mode == Mode::required && !call.tools.empty()) {
        chosen.push_back(&call.tools.front());
    }
    if (chosen.size() > 1 && choice.parallel == false) {
        chosen.resize(1);
    }
    return chosen;
}

bool thinks(const llm::Call& call) {
    using Mode = llm::Thinking::Mode;
    return call.thinking.mode == Mode::on || call.thinking.mode == Mode::adaptive;
}

std::string sign(std::uint64_t seed, std::string_view words) {
    return to_base64(fmt::format("simulated:{:016x}", hash(seed, words)), Base64::standard);
}

// A provider refuses thoughts that it did not think: also those that its own words sign, but that
// came to a client of another dialect, marked as another's.
Result<void> check_signatures(const llm::Call& call, std::uint64_t seed) {
    const bool wants_each_signed =
        call.from == llm::Dialect::anthropic || call.from == llm::Dialect::openai_responses;
    const auto is_forged = [&](const llm::Signature& signature, std::string_view words) {
        return !signature.text.empty() &&
               (signature.of != call.from || signature.text != sign(seed, words));
    };
    for (const llm::Message& message : call.messages) {
        for (const llm::Part& part : message.parts) {
            if (const auto* reasoning = llm::as<llm::Reasoning>(part);
                reasoning != nullptr &&
                (is_forged(reasoning->signature, reasoning->text) ||
                 (wants_each_signed && reasoning->signature.text.empty()))) {
                return fail(Code::invalid_request,
                            "Invalid `signature` in `thinking` block: the simulator did not sign "
                            "this.");
            }
            if (const auto* tool = llm::as<llm::ToolCall>(part);
                tool != nullptr && is_forged(tool->signature, tool->name)) {
                return fail(Code::invalid_request,
                            "Invalid signature of a tool call: the simulator did not sign this.");
            }
        }
    }
    return {};
}

std::vector<std::string> cut(std::string_view text, std::size_t bytes) {
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = std::min(at + bytes, text.size());
        // Pieces are texts of their own: never cut within a character.
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
            ++end;
        }
        pieces.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return pieces;
}

std::string join(const std::vector<std::string>& pieces) {
    std::string text;
    for (const std::string& piece : pieces) {
        text += piece;
    }
    return text;
}

struct Composer {
    const llm::Call& call;
    const ComposeOptions& options;
    Composition made{};
    llm::Choice choice{};

    void add(llm::Part part, std::vector<std::string> pieces) {
        made.output_tokens += static_cast<std::int64_t>(pieces.size());
        choice.parts.push_back(std::move(part));
        made.pieces.push_back(std::move(pieces));
    }

    std::int64_t think(const std::string& prompt) {
        auto thought = make_words(options.seed + 1, prompt, kThoughtTokens).tokens;
        const auto count = static_cast<std::int64_t>(thought.size());
        std::string text = join(thought);
        llm::Reasoning reasoning{.text = text};
        if (call.from != llm::Dialect::openai_chat) {  // which has no place for one
            reasoning.signature = {.text = sign(options.seed, text), .of = call.from};
        }
        add({.body = std::move(reasoning)}, std::move(thought));
        return count;
    }

    void use(const std::vector<const llm::Tool*>& tools) {
        for (std::size_t i = 0; i < tools.size(); ++i) {
            llm::ToolCall tool{
                .id = fmt::format("call_sim_{:08x}_{}",
                                  static_cast<std::uint32_t>(hash(options.seed, text_of(call))),
                                  i),
                .name = tools[i]->name,
                .arguments = example_of(tools[i]->schema)};
            if (call.from == llm::Dialect::gemini && thinks(call)) {
                tool.signature = {.text = sign(options.seed, tool.name), .of = call.from};
            }
            auto pieces = cut(tool.arguments, kArgumentPieceBytes);
            add({.body = std::move(tool)}, std::move(pieces));
        }
        choice.finish = llm::FinishReason::tool_calls;
    }

    void speak(const std::string& prompt) {
        using Kind = llm::OutputFormat::Kind;
        choice.finish = llm::FinishReason::stop;
        if (call.format.kind == Kind::json_schema || call.format.kind == Kind::json_object) {
            const std::string json = call.format.kind == Kind::json_schema
                                         ? example_of(call.format.schema)
                                         : std::string(R"({"answer":"river"})");
            add({.body = llm::Text{.text = json}}, cut(json, kArgumentPieceBytes));
            return;
        }
        auto words = make_words(options.seed, prompt, call.max_output_tokens.value_or(0));
        if (words.cut_by_limit) {
            choice.finish = llm::FinishReason::length;
        }
        std::string text = join(words.tokens);
        add({.body = llm::Text{.text = std::move(text)}}, std::move(words.tokens));
    }
};

}  // namespace

std::string text_of(const llm::Call& call) {
    std::string text;
    for (const llm::Message& message : call.messages) {
        for (const llm::Part& part : message.parts) {
            append_text(part, text);
        }
    }
    return text;
}

Result<Composition> compose(const llm::Call& call, const ComposeOptions& options) {
    WEIR_TRY(check_signatures(call, options.seed));
    Composer composer{.call = call, .options = options};
    const std::string prompt = text_of(call);
    std::int64_t reasoning_tokens = 0;
    if (options.refuses) {
        std::string words = "I cannot help with that.";
        auto pieces = cut(words, kArgumentPieceBytes);
        composer.add({.body = llm::Refusal{.text = std::move(words)}}, std::move(pieces));
        composer.choice.finish = llm::FinishReason::content_filter;
    } else {
        if (thinks(call)) {
            reasoning_tokens = composer.think(prompt);
        }
        if (const auto tools = tools_to_call(call); !tools.empty()) {
            composer.use(tools);
        } else {
            composer.speak(prompt);
        }
    }
    Composition& made = composer.made;
    const std::int64_t input_tokens = count_prompt_tokens(prompt);
    made.answer.model = call.model;
    made.answer.choices.push_back(std::move(composer.choice));
    made.answer.usage = llm::Usage{.input_tokens = input_tokens,
                                   .cache_read_tokens = options.from_cache ? input_tokens / 2 : 0,
                                   .output_tokens = made.output_tokens,
                                   .reasoning_tokens = reasoning_tokens};
    return std::move(made);
}

}  // namespace weir::simulate
