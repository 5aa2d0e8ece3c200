#include "dialect/openai_chat/response.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/failure.h"
#include "dialect/json/value.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Kind;
using json::Span;

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kChoices,
        kChoice,
        kMessage,  // `message` of a whole answer, `delta` of a chunk
        kUsage,
        kPromptDetails,
        kCompletionDetails,
    };

    std::string_view text;
    Answer& answer;
    bool is_object = false;
    std::optional<std::int64_t> prompt, completion, total, cached, cache_write, reasoning;

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                is_object = object;
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                if (key == "choices" && !object) {
                    answer.has_choices_key = true;
                    return kChoices;
                }
                if (key == "usage" && object) {
                    answer.usage.emplace();
                    return kUsage;
                }
                if (key == "data" && !object) {
                    answer.has_data = true;
                }
                // Only to learn its span.
                return key == "error" ? int{kError} : json::kIgnored;
            case kChoices:
                answer.choices.emplace_back();
                return object ? int{kChoice} : json::kIgnored;
            case kChoice:
                if ((key == "message" || key == "delta") && object) {
                    return kMessage;
                }
                return key == "logprobs" && object ? int{kLogprobs} : json::kIgnored;
            case kMessage:
                if (key == "tool_calls" || key == "function_call" || key == "reasoning_details" ||
                    key == "audio" || key == "content" || key == "images") {
                    answer.choices.back().has_other_output = true;
                }
                return json::kIgnored;
            case kUsage:
                if (key == "prompt_tokens_details" && object) {
                    return kPromptDetails;
                }
                return key == "completion_tokens_details" && object ? int{kCompletionDetails}
                                                                    : json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    enum : int { kError = 100, kLogprobs = 101 };

    void close(int scope, Span span) {
        if (scope == kError) {
            answer.error = span;
        } else if (scope == kLogprobs) {
            answer.choices.back().logprobs = span;
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const bool is_string = kind == Kind::string;
        switch (scope) {
            case kBody:
                if (key == "model" && is_string) {
                    answer.model = span;
                } else if (key == "id" && is_string) {
                    answer.id = span;
                } else if (key == "created" && kind == Kind::number) {
                    answer.created = span;
                } else if (key == "error" && kind != Kind::null) {
                    answer.error = span;
                }
                return;
            case kChoice:
                if (key == "finish_reason" && is_string) {
                    answer.choices.back().finish_reason = span;
                } else if (key == "index") {
                    answer.choices.back().index = json::read_integer(span.in(text)).value_or(0);
                } else if (key == "text" && is_string) {
                    answer.choices.back().content = span;  // legacy completions
                }
                return;
            case kMessage:
                if (key == "content" && is_string) {
                    answer.choices.back().content = span;
                } else if ((key == "refusal" || key == "reasoning_content" || key == "reasoning") &&
                           is_string && span.size > 2) {
                    answer.choices.back().has_other_output = true;
                }
                return;
            case kUsage:
                if (key == "prompt_tokens") {
                    prompt = read(kind, span);
                } else if (key == "completion_tokens") {
                    completion = read(kind, span);
                } else if (key == "total_tokens") {
                    total = read(kind, span);
                }
                return;
            case kPromptDetails:
                if (key == "cached_tokens") {
                    cached = read(kind, span);
                } else if (key == "cache_write_tokens") {
                    cache_write = read(kind, span);
                }
                return;
            case kCompletionDetails:
                if (key == "reasoning_tokens") {
                    reasoning = read(kind, span);
                }
                return;
            default:
                return;
        }
    }

    std::optional<std::int64_t> read(Kind kind, Span span) const {
        return kind == Kind::number ? json::read_integer(span.in(text)) : std::nullopt;
    }
};

std::string quoted(std::string_view text) {
    std::string out = "\"";
    json::append_escaped(out, text);
    out += '"';
    return out;
}

std::string begin_chunk(const StreamIdentity& identity) {
    return fmt::format(R"({{"id":{},"object":"chat.completion.chunk","created":{},"model":{},)",
                       identity.id,
                       identity.created,
                       identity.model);
}

}  // namespace

bool Answer::is_empty() const {
    if (has_data) {
        return false;
    }
    return std::none_of(choices.begin(), choices.end(), [](const Choice& choice) {
        return choice.content.size > 2 || choice.has_other_output || choice.finish_reason.is_set();
    });
}

llm::FinishReason read_finish_reason(std::string_view value) {
    const std::string_view word = json::between_quotes(value);
    using enum llm::FinishReason;
    if (word == "stop") {
        return stop;
    }
    if (word == "length") {
        return length;
    }
    if (word == "tool_calls" || word == "function_call") {
        return tool_calls;
    }
    return word == "content_filter" ? content_filter : other;
}

Result<Answer> decode_answer(std::string_view text, json::Scratch& scratch) {
    Answer answer;
    WEIR_TRY(decode_answer(text, scratch, answer));
    return answer;
}

Result<void> decode_answer(std::string_view text, json::Scratch& scratch, Answer& into) {
    auto memory = std::move(into.choices);
    memory.clear();
    into = {.choices = std::move(memory)};
    Reader reader{.text = text, .answer = into};
    const auto scanned = json::scan(text, json::Duplicates::allowed, scratch, reader);
    if (!scanned || !reader.is_object) {
        return unusable_answer(scanned ? "the answer is no JSON object"
                                       : scanned.error().message());
    }
    if (auto& usage = reader.answer.usage) {
        // OpenAI counts cached tokens inside prompt_tokens and reasoning inside completion_tokens.
        usage->input_tokens = reader.prompt.value_or(0);
        usage->output_tokens = reader.completion.value_or(
            std::max<std::int64_t>(reader.total.value_or(0) - usage->input_tokens, 0));
        usage->cache_read_tokens = reader.cached.value_or(0);
        usage->cache_write_tokens = reader.cache_write.value_or(0);
        usage->reasoning_tokens = reader.reasoning.value_or(0);
        *usage = usage->clamped();
        if (!reader.prompt && !reader.total) {
            usage.reset();  // an empty object says nothing
        }
    }
    return {};
}

void rewrite_answer(const Answer& answer,
                    std::string_view text,
                    std::string_view public_model,
                    const std::vector<Cut>& cuts,
                    json::Splice& splice) {
    struct Edit {
        Span span;
        std::string with;
    };
    if (cuts.empty()) {  // nearly always
        if (!public_model.empty() && answer.model.is_set()) {
            splice.replace(answer.model, quoted(public_model));
        }
        return;
    }
    std::vector<Edit> edits;
    if (!public_model.empty() && answer.model.is_set()) {
        edits.push_back({answer.model, quoted(public_model)});
    }
    for (const Cut& cut : cuts) {
        const Choice& choice = answer.choices[cut.choice];
        if (choice.content.is_set()) {
            edits.push_back({choice.content, quoted(cut.kept)});
        }
        if (choice.finish_reason.is_set() && cut.reason != llm::FinishReason::none) {
            edits.push_back({choice.finish_reason, quoted(llm::name(cut.reason))});
        }
        if (choice.logprobs.is_set()) {
            edits.push_back({choice.logprobs, "null"});  // they would spell out what was cut
        }
    }
    std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
        return a.span.at < b.span.at;
    });
    for (Edit& edit : edits) {
        splice.replace(edit.span, std::move(edit.with));
    }
}

void StreamIdentity::learn(const Answer& chunk,
                           std::string_view text,
                           std::string_view public_model) {
    if (chunk.id.is_set()) {
        id = chunk.id.in(text);
    }
    if (chunk.created.is_set()) {
        created = chunk.created.in(text);
    }
    if (!public_model.empty()) {
        model = quoted(public_model);
    } else if (chunk.model.is_set()) {
        model = chunk.model.in(text);
    }
}

std::string make_text_chunk(const StreamIdentity& identity,
                            std::int64_t choice,
                            std::string_view kept) {
    return begin_chunk(identity) +
           fmt::format(
               R"("choices":[{{"index":{},"delta":{{"content":{}}},"finish_reason":null}}]}})",
               choice,
               quoted(kept));
}

std::string make_finish_chunk(const StreamIdentity& identity,
                              std::int64_t choice,
                              llm::FinishReason reason) {
    return begin_chunk(identity) +
           fmt::format(R"("choices":[{{"index":{},"delta":{{}},"finish_reason":"{}"}}]}})",
                       choice,
                       llm::name(reason));
}

std::string make_usage_chunk(const StreamIdentity& identity, const llm::Usage& usage) {
    return begin_chunk(identity) +
           fmt::format(
               R"("choices":[],"usage":{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":{},)"
               R"("prompt_tokens_details":{{"cached_tokens":{}}},)"
               R"("completion_tokens_details":{{"reasoning_tokens":{}}}}}}})",
               usage.input_tokens,
               usage.output_tokens,
               usage.input_tokens + usage.output_tokens,
               usage.cache_read_tokens,
               usage.reasoning_tokens);
}

}  // namespace weir::dialect::openai_chat
