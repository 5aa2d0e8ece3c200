// A provider's stream of chat chunks as events. OpenAI says where a part begins by what a delta
// holds, and never where it ends: that is found out here.
#include <algorithm>

#include "dialect/failure.h"
#include "dialect/openai_chat/codec.h"
#include "dialect/openai_chat/error.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

constexpr std::string_view kDoneData = "[DONE]";
// More choices or calls than any provider gives in one answer.
constexpr std::int64_t kChoicesMax = 128;
constexpr std::size_t kCallsMax = 1024;

// Whether pieces of text have become one whole JSON object: then nothing more can follow.
class Balance {
public:
    void feed(std::string_view piece) {
        for (const char c : piece) {
            if (in_string_) {
                in_string_ = escaped_ || c != '"';
                escaped_ = !escaped_ && c == '\\';
            } else if (c == '"') {
                in_string_ = true;
            } else if (c == '{' || c == '[') {
                ++depth_;
                began_ = true;
            } else if (c == '}' || c == ']') {
                --depth_;
            }
        }
    }
    bool is_whole() const { return began_ && depth_ <= 0; }

private:
    int depth_ = 0;
    bool began_ = false;
    bool in_string_ = false;
    bool escaped_ = false;
};

struct Call {
    std::int64_t index;  // the provider's
    std::uint32_t part;
    std::string id;
    bool open = true;
    Balance arguments;
};

struct Choice {
    std::uint32_t number = 0;
    std::uint32_t parts = 0;  // begun
    // The text-like part that is open: text, refusal or reasoning follow each other.
    bool has_open = false;
    PartKind open_kind = PartKind::text;
    std::uint32_t open_part = 0;
    std::string logprobs;  // that wait for their text: members of OpenAI's array
    std::vector<Call> calls;
    bool finished = false;
};

class Decoder : public StreamDecoder {
public:
    explicit Decoder(bool may_omit_done) : may_omit_done_(may_omit_done) {}

    Result<void> feed(std::string_view bytes, EventSink& sink) override {
        sse_.feed(bytes);
        sse::Event event;
        while (!ended_) {
            WEIR_TRY(const bool found, sse_.next(event));
            if (!found) {
                break;
            }
            if (event.kind == sse::Event::Kind::message) {
                WEIR_TRY(on_event(event, sink));
            }
        }
        return {};
    }

    Result<void> end(EventSink& sink) override {
        if (ended_) {
            return {};
        }
        if (may_omit_done_ && all_finished() && !sse_.has_partial()) {
            ended_ = true;
            return sink.take({.kind = Kind::end});
        }
        return unusable_answer("the stream ended without its terminal event");
    }

private:
    Result<void> on_event(const sse::Event& event, EventSink& sink);
    Result<void> on_choice(Value choice, EventSink& sink);
    Result<void> on_delta(Value delta, Choice& state, EventSink& sink);
    Result<void> on_text(std::string_view text, PartKind kind, Choice& state, EventSink& sink);
    static Result<void> give_text(std::string_view text,
                                  PartKind kind,
                                  Choice& state,
                                  EventSink& sink);
    Result<void> on_details(Value details, Choice& state, EventSink& sink);
    Result<void> on_call(Value call, std::int64_t position, Choice& state, EventSink& sink);
    Result<void> on_finish(std::string_view word, Choice& state, EventSink& sink);
    Result<void> close_text(Choice& state, EventSink& sink);
    Result<Choice*> choice_of(std::int64_t index);
    bool all_finished() const {
        return !choices_.empty() &&
               std::all_of(
                   choices_.begin(), choices_.end(), [](const Choice& c) { return c.finished; });
    }

    const bool may_omit_done_;
    bool started_ = false;
    bool ended_ = false;
    sse::Decoder sse_;
    json::Document document_;
    std::vector<Choice> choices_;
    std::optional<llm::ServiceTier> tier_;
    std::string text_, name_, id_, arguments_;  // unescaped, where that takes a copy
};

Result<void> Decoder::on_event(const sse::Event& event, EventSink& sink) {
    if (event.data == kDoneData) {
        if (!all_finished()) {
            return unusable_answer("the stream ended without a reason to finish");
        }
        ended_ = true;
        return sink.take({.kind = Kind::end});
    }
    if (event.data.empty()) {
        return {};
    }
    const auto root = document_.parse(event.data, json::Duplicates::allowed);
    if (!root) {
        return unusable_answer(root.error().message());
    }
    if ((*root)["error"].has_value() || event.name == "error") {
        return std::unexpected(decode_error({.status = kServerError, .body = event.data}));
    }
    if (!started_) {
        started_ = true;
        id_ = (*root)["id"].string_or("");
        name_ = (*root)["model"].string_or("");
        WEIR_TRY(sink.take({.kind = Kind::start, .id = id_, .model = name_}));
    }
    for (const Value choice : (*root)["choices"]) {
        WEIR_TRY(on_choice(choice, sink));
    }
    // Some say it in other chunks than the usage.
    if (const auto tier = llm::read_service_tier((*root)["service_tier"].view(text_))) {
        tier_ = tier;
    }
    if (auto usage = decode_usage((*root)["usage"])) {
        usage->tier = tier_;
        return sink.take({.kind = Kind::usage, .usage = &*usage});
    }
    return {};
}

Result<Choice*> Decoder::choice_of(std::int64_t index) {
    if (index < 0 || index >= kChoicesMax) {
        return unusable_answer("a choice with an impossible index");
    }
    for (Choice& choice : choices_) {
        if (choice.number == static_cast<std::uint32_t>(index)) {
            return &choice;
        }
    }
    choices_.push_back({.number = static_cast<std::uint32_t>(index)});
    return &choices_.back();
}

Result<void> Decoder::on_choice(Value choice, EventSink& sink) {
    WEIR_TRY(Choice* const state, choice_of(choice["index"].integer().value_or(0)));
    if (state->finished) {
        return {};  // what comes after the end belongs to nothing
    }
    if (const Value tokens = choice["logprobs"]["content"]; tokens.size() > 0) {
        const std::string_view array = tokens.json();
        state->logprobs += state->logprobs.empty() ? "" : ",";
        state->logprobs += array.substr(1, array.size() - 2);
    }
    if (const Value delta = choice["delta"]; delta.is_object()) {
        WEIR_TRY(on_delta(delta, *state, sink));
    } else if (const Value text = choice["text"]; text.is_string()) {  // completions
        WEIR_TRY(on_text(text.view(text_), PartKind::text, *state, sink));
    }
    if (const Value reason = choice["finish_reason"]; reason.is_string()) {
        return on_finish(reason.view(text_), *state, sink);
    }
    return {};
}

Result<void> Decoder::on_delta(Value delta, Choice& state, EventSink& sink) {
    bool has_thought = false;
    for (const Value member : delta) {
        const std::string_view key = member.key();
        if (key == "content") {
            WEIR_TRY(on_text(member.view(text_), PartKind::text, state, sink));
        } else if ((key == "reasoning_content" || key == "reasoning") && !has_thought) {
            // Some say it under both names.
            has_thought = member.is_string() && member.json().size() > 2;
            WEIR_TRY(on_text(member.view(text_), PartKind::reasoning, state, sink));
        } else if (key == "refusal") {
            WEIR_TRY(on_text(member.view(text_), PartKind::refusal, state, sink));
        } else if (key == "tool_calls") {
            std::int64_t position = 0;
            for (const Value call : member) {
                WEIR_TRY(on_call(call, position++, state, sink));
            }
        } else if (key == "reasoning_details") {
            WEIR_TRY(on_details(member, state, sink));
        }
    }
    return {};
}

Result<void> Decoder::close_text(Choice& state, EventSink& sink) {
    if (!state.has_open) {
        return {};
    }
    if (state.open_kind == PartKind::text && !state.logprobs.empty()) {
        WEIR_TRY(give_text({}, PartKind::text, state, sink));
    }
    state.has_open = false;
    return sink.take({.kind = Kind::part_end, .choice = state.number, .part = state.open_part});
}

Result<void> Decoder::on_text(std::string_view text,
                              PartKind kind,
                              Choice& state,
                              EventSink& sink) {
    if (text.empty()) {
        return {};
    }
    if (!state.has_open || state.open_kind != kind) {
        WEIR_TRY(close_text(state, sink));
        state.has_open = true;
        state.open_kind = kind;
        state.open_part = state.parts++;
        WEIR_TRY(sink.take({.kind = Kind::part_begin,
                            .choice = state.number,
                            .part = state.open_part,
                            .part_kind = kind}));
    }
    return give_text(text, kind, state, sink);
}

// Tokens may come without their text, which is no whole character yet: they go with what follows.
Result<void> Decoder::give_text(std::string_view text,
                                PartKind kind,
                                Choice& state,
                                EventSink& sink) {
    const bool has_logprobs = kind == PartKind::text && !state.logprobs.empty();
    WEIR_TRY(sink.take(
        {.kind = Kind::delta,
         .choice = state.number,
         .part = state.open_part,
         .part_kind = kind,
         .text = text,
         .logprobs = has_logprobs ? std::string_view(state.logprobs) : std::string_view{}}));
    if (has_logprobs) {
        state.logprobs.clear();
    }
    return {};
}

// The text of thinking comes under its plain name, too; only signatures and what is sealed are read
// here.
Result<void> Decoder::on_details(Value details, Choice& state, EventSink& sink) {
    std::vector<llm::Part> parts;
    decode_reasoning_details(details, parts);
    for (const llm::Part& part : parts) {
        const auto& reasoning = *llm::as<llm::Reasoning>(part);
        if (reasoning.signature.text.empty()) {
            continue;
        }
        const bool goes_on = state.has_open && state.open_kind == PartKind::reasoning;
        if (!goes_on || reasoning.redacted) {
            WEIR_TRY(close_text(state, sink));
            state.has_open = true;
            state.open_kind = PartKind::reasoning;
            state.open_part = state.parts++;
            WEIR_TRY(sink.take({.kind = Kind::part_begin,
                                .choice = state.number,
                                .part = state.open_part,
                                .part_kind = PartKind::reasoning,
                                .redacted = reasoning.redacted}));
        }
        WEIR_TRY(sink.take({.kind = Kind::signature,
                            .choice = state.number,
                            .part = state.open_part,
                            .part_kind = PartKind::reasoning,
                            .text = reasoning.signature.text,
                            .signature_of = reasoning.signature.of}));
        WEIR_TRY(close_text(state, sink));
    }
    return {};
}

Result<void> Decoder::on_call(Value call, std::int64_t position, Choice& state, EventSink& sink) {
    const std::int64_t index = call["index"].integer().value_or(position);
    const Value function = call["function"];
    const std::string_view id = call["id"].view(id_);
    // Some servers give every call the index 0, and a new id: those are different calls.
    const auto known = std::find_if(state.calls.rbegin(), state.calls.rend(), [&](const Call& c) {
        return c.index == index && (id.empty() || c.id.empty() || c.id == id);
    });
    Call* target = known == state.calls.rend() ? nullptr : &*known;
    if (target == nullptr) {
        if (state.calls.size() == kCallsMax) {
            return unusable_answer("more tool calls than there can be");
        }
        WEIR_TRY(close_text(state, sink));
        for (Call& earlier : state.calls) {
            if (earlier.open && earlier.arguments.is_whole()) {
                earlier.open = false;
                WEIR_TRY(sink.take({.kind = Kind::part_end,
                                    .choice = state.number,
                                    .part = earlier.part,
                                    .part_kind = PartKind::tool_call}));
            }
        }
        state.calls.push_back({.index = index, .part = state.parts++, .id = std::string(id)});
        target = &state.calls.back();
        const llm::Signature signature = read_google_signature(call);
        WEIR_TRY(sink.take({.kind = Kind::part_begin,
                            .choice = state.number,
                            .part = target->part,
                            .part_kind = PartKind::tool_call,
                            .id = id,
                            .name = function["name"].view(name_),
                            .signature = signature.text,
                            .signature_of = signature.of}));
    }
    const std::string_view arguments = function["arguments"].view(arguments_);
    if (arguments.empty()) {
        return {};
    }
    if (!target->open) {
        return unusable_answer("a tool call went on after its end");
    }
    target->arguments.feed(arguments);
    return sink.take({.kind = Kind::delta,
                      .choice = state.number,
                      .part = target->part,
                      .part_kind = PartKind::tool_call,
                      .text = arguments});
}

Result<void> Decoder::on_finish(std::string_view word, Choice& state, EventSink& sink) {
    WEIR_TRY(close_text(state, sink));
    for (Call& call : state.calls) {
        if (call.open) {
            call.open = false;
            WEIR_TRY(sink.take({.kind = Kind::part_end,
                                .choice = state.number,
                                .part = call.part,
                                .part_kind = PartKind::tool_call}));
        }
    }
    state.finished = true;
    llm::FinishReason reason = read_finish_reason(word);
    if (reason == llm::FinishReason::error) {
        return unusable_answer("the provider finished with an error");
    }
    // Why it stopped follows what was said: several makers say `stop` after a call.
    if (reason == llm::FinishReason::stop && !state.calls.empty()) {
        reason = llm::FinishReason::tool_calls;
    }
    return sink.take({.kind = Kind::finish,
                      .choice = state.number,
                      .text = reason == llm::FinishReason::other ? word : std::string_view{},
                      .reason = reason});
}

}  // namespace

std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_done) {
    return std::make_unique<Decoder>(may_omit_done);
}

}  // namespace weir::dialect::openai_chat
