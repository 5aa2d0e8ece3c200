// A chat answer or chunk that passes as it came: where its texts, its usage and its name lie; and
// the chunks that Weir makes itself when a guardrail ends a stream.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/failure.h"
#include "dialect/json/likeness.h"
#include "dialect/json/value.h"
#include "dialect/openai_chat/codec.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Kind;
using json::Span;

constexpr std::string_view kDoneData = "[DONE]";

// What chunks that Weir makes repeat of those it saw: JSON values.
struct Identity {
    std::string id = "\"\"";
    std::string created = "0";
    std::string model = "\"\"";
    bool is_legacy = false;  // completions, not chat
};

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kChoices,
        kChoice,
        kMessage,  // `message` of a whole answer, `delta` of a chunk
        kUsage,
        kPromptDetails,
        kCompletionDetails,
        kAudio,
    };

    std::string_view text;
    AnswerView& answer;
    Identity* identity;  // null: not wanted
    bool is_object = false;
    std::optional<llm::ServiceTier> tier{};
    Span obfuscation;  // of OpenAI's: makes all chunks equally long
    std::optional<std::int64_t> prompt, completion, total, cached, cache_write, reasoning;
    std::optional<std::int64_t> audio_in, audio_out;

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                is_object = object;
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                if (key == "choices" && !object) {
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
                answer.outputs.emplace_back();
                return object ? int{kChoice} : json::kIgnored;
            case kChoice:
                if ((key == "message" || key == "delta") && object) {
                    return kMessage;
                }
                return key == "logprobs" && object ? int{kLogprobs} : json::kIgnored;
            case kMessage:
                if (key == "tool_calls" || key == "function_call" || key == "reasoning_details" ||
                    key == "audio" || key == "content" || key == "images") {
                    answer.outputs.back().has_other = true;
                }
                return key == "audio" && object ? int{kAudio} : json::kIgnored;
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
            answer.outputs.back().logprobs = span;
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const bool is_string = kind == Kind::string;
        switch (scope) {
            case kBody:
                if (key == "model" && is_string) {
                    answer.model = span;
                } else if (key == "id" && is_string) {
                    keep(span, identity == nullptr ? nullptr : &identity->id);
                } else if (key == "created" && kind == Kind::number) {
                    keep(span, identity == nullptr ? nullptr : &identity->created);
                } else if (key == "service_tier" && is_string) {
                    tier = llm::read_service_tier(json::between_quotes(span.in(text)));
                } else if (key == "error" && kind != Kind::null) {
                    answer.error = span;
                } else if (key == "obfuscation" && is_string) {
                    obfuscation = span;
                }
                return;
            case kChoice:
                if (key == "finish_reason" && is_string) {
                    answer.outputs.back().finish = span;
                    answer.finished = true;
                } else if (key == "index") {
                    answer.outputs.back().index = json::read_integer(span.in(text)).value_or(0);
                } else if (key == "text" && is_string) {
                    answer.outputs.back().text = span;  // legacy completions
                    if (identity != nullptr) {
                        identity->is_legacy = true;
                    }
                }
                return;
            case kMessage:
                if (key == "content" && is_string) {
                    answer.outputs.back().text = span;
                } else if ((key == "refusal" || key == "reasoning_content" || key == "reasoning") &&
                           is_string && span.size > 2) {
                    answer.outputs.back().has_other = true;
                }
                return;
            case kAudio:
                // A later turn names what was said by it.
                if (key == "id" && is_string) {
                    answer.ids.push_back(span);
                }
                return;
            case kUsage:
                if (key == "prompt_tokens") {
                    prompt = read(kind, span);
                } else if (key == "completion_tokens") {
                    completion = read(kind, span);
                } else if (key == "total_tokens") {
                    total = read(kind, span);
                } else if (key == "prompt_cache_hit_tokens") {  // DeepSeek's name
                    cached = cached ? cached : read(kind, span);
                }
                return;
            case kPromptDetails:
                if (key == "cached_tokens") {
                    cached = read(kind, span);
                } else if (key == "cache_write_tokens") {
                    cache_write = read(kind, span);
                } else if (key == "audio_tokens") {
                    audio_in = read(kind, span);
                }
                return;
            case kCompletionDetails:
                if (key == "reasoning_tokens") {
                    reasoning = read(kind, span);
                } else if (key == "audio_tokens") {
                    audio_out = read(kind, span);
                }
                return;
            default:
                return;
        }
    }

    void keep(Span span, std::string* into) const {
        if (into != nullptr) {
            *into = span.in(text);
        }
    }

    std::optional<std::int64_t> read(Kind kind, Span span) const {
        return kind == Kind::number ? json::read_integer(span.in(text)) : std::nullopt;
    }
};

Result<void> read(std::string_view text,
                  json::Scratch& scratch,
                  AnswerView& into,
                  Identity* identity,
                  std::optional<llm::ServiceTier>& tier,
                  Span* obfuscation) {
    into.clear();
    Reader reader{.text = text, .answer = into, .identity = identity};
    const auto scanned = json::scan(text, json::Duplicates::allowed, scratch, reader);
    if (!scanned || !reader.is_object) {
        return unusable_answer(scanned ? "the answer is no JSON object"
                                       : scanned.error().message());
    }
    tier = reader.tier ? reader.tier : tier;
    if (auto& usage = into.usage) {
        // OpenAI counts cached tokens inside prompt_tokens and reasoning inside completion_tokens.
        usage->input_tokens = reader.prompt.value_or(0);
        usage->output_tokens = reader.completion.value_or(
            std::max<std::int64_t>(reader.total.value_or(0) - usage->input_tokens, 0));
        usage->cache_read_tokens = reader.cached.value_or(0);
        usage->cache_write_tokens = reader.cache_write.value_or(0);
        usage->input_audio_tokens = reader.audio_in.value_or(0);
        usage->reasoning_tokens = reader.reasoning.value_or(0);
        usage->output_audio_tokens = reader.audio_out.value_or(0);
        usage->tier = tier;
        *usage = usage->clamped();
        if (!reader.prompt && !reader.total) {
            usage.reset();  // an empty object says nothing
        }
    }
    if (obfuscation != nullptr) {
        *obfuscation = reader.obfuscation;
    }
    return {};
}

// A chunk that brings a piece of one text and says nothing else: the next is probably like it.
bool is_plain(const AnswerView& chunk) {
    if (chunk.outputs.size() != 1 || chunk.usage || chunk.error.is_set() || chunk.finished ||
        chunk.has_data) {
        return false;
    }
    const AnswerView::Output& output = chunk.outputs.front();
    return output.text.is_set() && !output.finish.is_set() && !output.logprobs.is_set() &&
           !output.has_other && chunk.model.end() <= output.text.at;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    json::append_escaped(out, text);
    out += '"';
    return out;
}

class ChatReader : public StreamReader {
public:
    explicit ChatReader(const AnswerTerms& terms) : include_usage_(terms.include_usage) {
        if (!terms.model.empty()) {
            identity_.model = quoted(terms.model);
            renamed_ = true;
        }
    }

    Result<void> read(const sse::Event& event, json::Scratch& scratch, AnswerView& into) override {
        if (event.data == kDoneData) {
            into.clear();
            into.is_terminal = true;
            return {};
        }
        if (std::array<Span, json::Likeness::kStringsMax> strings;
            last_.matches(event.data, strings)) {
            into.clear();
            into.outputs.push_back({.index = index_, .text = strings.front()});
            into.model = model_;
            return {};
        }
        Span obfuscation;
        WEIR_TRY(openai_chat::read(
            event.data, scratch, into, known_ ? nullptr : &identity_, tier_, &obfuscation));
        into.is_usage_only = into.usage && into.outputs.empty();
        usage_passed_ = usage_passed_ || into.is_usage_only;
        if (!known_ && into.model.is_set()) {
            known_ = identity_.id.size() > 2;
            if (!renamed_) {
                identity_.model = into.model.in(event.data);
            }
        }
        if (known_ && is_plain(into)) {
            learn(event.data, into, obfuscation);
        }
        return {};
    }

    void append_text(std::int64_t index, std::string_view text, std::string& out) override {
        begin_chunk(out);
        const bool is_legacy = identity_.is_legacy;
        fmt::format_to(std::back_inserter(out), R"("choices":[{{"index":{},)", index);
        out += is_legacy ? R"("text":)" : R"("delta":{"content":)";
        out += quoted(text);
        out += is_legacy ? R"(,"logprobs":null)" : "}";
        out += R"(,"finish_reason":null}]})";
        out += "\n\n";
    }

    void append_stop(std::int64_t index, llm::FinishReason reason, std::string& out) override {
        begin_chunk(out);
        fmt::format_to(std::back_inserter(out),
                       R"("choices":[{{"index":{},{},"finish_reason":"{}"}}]}})",
                       index,
                       identity_.is_legacy ? R"("text":"","logprobs":null)" : R"("delta":{})",
                       llm::name(reason));
        out += "\n\n";
    }

    void append_terminal(const llm::Usage& usage, std::string& out) override {
        if (include_usage_ && !usage_passed_) {
            begin_chunk(out);
            out += R"("choices":[],"usage":)";
            json::Writer json(out);
            encode_usage(usage, json);
            out += "}\n\n";
        }
        out += "data: [DONE]\n\n";
    }

    std::string_view finish_word(llm::FinishReason reason) const override {
        return llm::name(reason);
    }

private:
    void learn(std::string_view text, const AnswerView& chunk, Span obfuscation) {
        const AnswerView::Output& output = chunk.outputs.front();
        const Span strings[] = {output.text, obfuscation};
        last_.learn(text, std::span(strings).first(obfuscation.at > output.text.at ? 2 : 1));
        index_ = output.index;
        model_ = chunk.model;
    }

    void begin_chunk(std::string& out) const {
        fmt::format_to(std::back_inserter(out),
                       R"(data: {{"id":{},"object":"{}","created":{},"model":{},)",
                       identity_.id,
                       identity_.is_legacy ? "text_completion" : "chat.completion.chunk",
                       identity_.created,
                       identity_.model);
    }

    // What every chunk touches stands first.
    json::Likeness last_;     // the last chunk that only brought text:
    std::int64_t index_ = 0;  // of its choice
    Span model_;              // where its model stands
    const bool include_usage_;
    bool usage_passed_ = false;
    bool known_ = false;
    bool renamed_ = false;
    std::optional<llm::ServiceTier> tier_;  // some say it in other chunks than the usage
    Identity identity_;
};

}  // namespace

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into) {
    std::optional<llm::ServiceTier> tier;
    WEIR_TRY(read(text, scratch, into, nullptr, tier, nullptr));
    into.is_terminal = true;
    return {};
}

std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms) {
    return std::make_unique<ChatReader>(terms);
}

}  // namespace weir::dialect::openai_chat
