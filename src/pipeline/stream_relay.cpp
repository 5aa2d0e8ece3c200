#include "pipeline/stream_relay.h"

#include <algorithm>

#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "dialect/openai_chat/error.h"
#include "pipeline/screen.h"

namespace weir::pipeline {

namespace json = dialect::json;
namespace openai_chat = dialect::openai_chat;
using openai_chat::Answer;

namespace {

constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";
// A provider's comments say that it lives, and sometimes who it is: only the first is passed on.
constexpr std::string_view kAliveEvent = ": waiting\n\n";

bool is_output(const openai_chat::Choice& choice) {
    return choice.content.size > 2 || choice.has_other_output || choice.finish_reason.is_set();
}

void append_data(std::string& into, std::string_view data) {
    into += "data: ";
    for (std::size_t line = data.find('\n'); line != std::string_view::npos;
         line = data.find('\n')) {
        into += data.substr(0, line + 1);
        into += "data: ";
        data.remove_prefix(line + 1);
    }
    into += data;
    into += "\n\n";
}

}  // namespace

struct StreamRelay::ChoiceState {
    ChoiceState(std::int64_t number, const guardrail::OutputRules& rules)
        : index(number), filter(rules) {}
    std::int64_t index;
    guardrail::OutputFilter filter;
    bool stopped = false;   // by a guardrail
    bool finished = false;  // by the model
};

StreamRelay::StreamRelay(StreamTerms terms, StreamScratch& scratch)
    : scratch_(scratch), terms_(terms) {}
StreamRelay::~StreamRelay() = default;

std::int64_t estimate_output_tokens(std::int64_t text_events, std::uint64_t text_bytes) {
    constexpr std::uint64_t kBytesPerToken = 4;
    return std::max(text_events,
                    static_cast<std::int64_t>((text_bytes + kBytesPerToken - 1) / kBytesPerToken));
}

llm::Usage StreamRelay::usage() const {
    if (usage_) {
        return *usage_;
    }
    return {.input_tokens = terms_.input_tokens_estimate,
            .output_tokens = estimate_output_tokens(text_events_, text_bytes_),
            .estimated = true};
}

Result<void> StreamRelay::feed(std::string_view bytes, std::string& out) {
    decoder_.feed(bytes);
    dialect::sse::Event event;
    while (!done_) {
        WEIR_TRY(const bool found, decoder_.next(event));
        if (!found) {
            break;
        }
        WEIR_TRY(on_event(event, out));
    }
    return {};
}

Result<void> StreamRelay::end(std::string& out) {
    if (done_) {
        return {};
    }
    if (!decoder_.has_partial() && finish_seen_ && terms_.may_omit_done) {
        out += kDoneEvent;
        done_ = true;
        return {};
    }
    return dialect::unusable_answer("the stream ended without its terminal event");
}

Result<void> StreamRelay::on_event(const dialect::sse::Event& event, std::string& out) {
    if (event.kind == dialect::sse::Event::Kind::comment) {
        if (committed_) {
            out += kAliveEvent;
        }
        return {};
    }
    if (event.data == openai_chat::kDone) {
        if (!committed_) {
            return dialect::unusable_answer("the stream ended before its first token");
        }
        // A choice whose finish never came: what was held back is decided now.
        for (const auto& state : choices_) {
            if (!state->stopped && !state->finished) {
                scratch_.rewritten.clear();
                const auto stop = state->filter.finish(scratch_.rewritten);
                if (!scratch_.rewritten.empty()) {
                    WEIR_TRY(emit_data(
                        openai_chat::make_text_chunk(identity_, state->index, scratch_.rewritten),
                        out));
                }
                if (stop != guardrail::Stop::none) {
                    WEIR_TRY(emit_data(
                        openai_chat::make_finish_chunk(identity_, state->index, reason_of(stop)),
                        out));
                }
            }
        }
        out += kDoneEvent;
        done_ = true;
        return {};
    }
    WEIR_TRY(openai_chat::decode_answer(event.data, scratch_.json, scratch_.chunk));
    if (scratch_.chunk.error.is_set()) {
        // The status that the provider would have used was spent on 200; its words say the rest.
        constexpr int kServerError = 500;
        return std::unexpected(
            openai_chat::decode_error({.status = kServerError, .body = event.data}));
    }
    return on_chunk(event, scratch_.chunk, out);
}

Result<void> StreamRelay::on_chunk(const dialect::sse::Event& event,
                                   const Answer& chunk,
                                   std::string& out) {
    if (chunk.usage) {
        usage_ = chunk.usage;
        if (chunk.choices.empty() && !terms_.include_usage) {
            return {};  // it was asked for by Weir, not by the client
        }
    }
    if (!identity_known_ && chunk.id.is_set()) {
        identity_.learn(chunk, event.data, terms_.public_model);
        identity_known_ = true;
    }
    bool output = false;
    for (const auto& choice : chunk.choices) {
        output = output || is_output(choice);
        if (choice.content.size > 2) {
            ++text_events_;
            text_bytes_ += choice.content.size - 2;
        }
        finish_seen_ = finish_seen_ || choice.finish_reason.is_set();
    }
    if (output && !committed_) {
        commit(out);
    }
    if (terms_.rules != nullptr && output) {
        WEIR_TRY(const bool handled, screen(event, chunk, out));
        if (handled) {
            return {};
        }
    }
    if (terms_.public_model.empty() || !chunk.model.is_set()) {
        return emit(event.raw, out);
    }
    return emit_renamed(event, chunk.model, out);
}

// Every chunk of an aliased model comes here: the event as it was, but for the name.
Result<void> StreamRelay::emit_renamed(const dialect::sse::Event& event,
                                       json::Span model,
                                       std::string& out) {
    if (quoted_model_.empty()) {
        quoted_model_ = '"';
        json::append_escaped(quoted_model_, terms_.public_model);
        quoted_model_ += '"';
    }
    const bool inside =
        event.data.data() >= event.raw.data() &&
        event.data.data() + event.data.size() <= event.raw.data() + event.raw.size();
    if (!inside || !committed_) {  // joined from several lines, or held
        json::Splice splice(event.data);
        splice.replace(model, quoted_model_);
        return emit_data(splice.str(), out);
    }
    const auto at = static_cast<std::size_t>(event.data.data() - event.raw.data()) + model.at;
    out += event.raw.substr(0, at);
    out += quoted_model_;
    out += event.raw.substr(at + model.size);
    return {};
}

Result<bool> StreamRelay::screen(const dialect::sse::Event& event,
                                 const Answer& chunk,
                                 std::string& out) {
    std::vector<openai_chat::Cut> changes;  // of texts; a reason only where a guardrail stopped
    std::size_t dropped = 0;
    bool stopped_now = false;
    for (std::size_t i = 0; i < chunk.choices.size(); ++i) {
        const auto& choice = chunk.choices[i];
        WEIR_TRY(ChoiceState* const state, state_of(choice.index));
        if (state->stopped) {
            ++dropped;
            if (chunk.choices.size() > 1) {
                changes.push_back({.choice = i, .kept = {}, .reason = llm::FinishReason::none});
            }
            continue;
        }
        scratch_.rewritten.clear();
        bool replaced = false;
        auto stop = guardrail::Stop::none;
        if (choice.content.size > 2) {
            std::string unescaped;
            const std::string_view text =
                json::view_string(choice.content.in(event.data), unescaped);
            if (!state->filter.pass(text)) {
                stop = state->filter.feed(text, scratch_.rewritten);
                replaced = true;
            }
        }
        if (stop == guardrail::Stop::none && choice.finish_reason.is_set()) {
            state->finished = true;
            stop = state->filter.finish(scratch_.rewritten);
            if (!replaced && !scratch_.rewritten.empty()) {
                // Text that was held back comes out with an event that has none of its own.
                WEIR_TRY(emit_data(
                    openai_chat::make_text_chunk(identity_, choice.index, scratch_.rewritten),
                    out));
            }
        }
        if (stop != guardrail::Stop::none) {
            state->stopped = stopped_now = true;
            if (chunk.choices.size() == 1 || !choice.content.is_set()) {
                if (replaced && !scratch_.rewritten.empty()) {
                    WEIR_TRY(emit_data(
                        openai_chat::make_text_chunk(identity_, choice.index, scratch_.rewritten),
                        out));
                }
                WEIR_TRY(emit_data(
                    openai_chat::make_finish_chunk(identity_, choice.index, reason_of(stop)), out));
                ++dropped;
                continue;
            }
        }
        if (replaced || stop != guardrail::Stop::none) {
            changes.push_back({.choice = i, .kept = scratch_.rewritten, .reason = reason_of(stop)});
            const bool nothing_left = scratch_.rewritten.empty() &&
                                      !choice.finish_reason.is_set() && !choice.has_other_output &&
                                      stop == guardrail::Stop::none;
            dropped += nothing_left ? 1 : 0;
        }
    }
    const bool all_dropped = dropped == chunk.choices.size();
    if (!changes.empty() && !all_dropped) {
        json::Splice splice(event.data);
        openai_chat::rewrite_answer(chunk, event.data, terms_.public_model, changes, splice);
        WEIR_TRY(emit_data(splice.str(), out));
        for (const auto& change : changes) {
            const auto& choice = chunk.choices[change.choice];
            if (change.reason != llm::FinishReason::none && !choice.finish_reason.is_set()) {
                WEIR_TRY(emit_data(
                    openai_chat::make_finish_chunk(identity_, choice.index, change.reason), out));
            }
        }
    }
    if (stopped_now) {
        const auto ended = std::count_if(choices_.begin(), choices_.end(), [](const auto& state) {
            return state->stopped || state->finished;
        });
        if (ended >= terms_.choices) {
            terminate(out);
        }
    }
    return all_dropped || !changes.empty();
}

Result<StreamRelay::ChoiceState*> StreamRelay::state_of(std::int64_t index) {
    for (const auto& state : choices_) {
        if (state->index == index) {
            return state.get();
        }
    }
    if (static_cast<std::int64_t>(choices_.size()) >= terms_.choices) {
        return dialect::unusable_answer("more choices than were asked for");
    }
    choices_.push_back(std::make_unique<ChoiceState>(index, *terms_.rules));
    return choices_.back().get();
}

void StreamRelay::commit(std::string& out) {
    committed_ = true;
    out += held_;
    held_ = {};
}

Result<void> StreamRelay::emit(std::string_view event, std::string& out) {
    if (committed_) {
        out += event;
        return {};
    }
    if (++held_events_ > kHeldEventsMax || held_.size() + event.size() > kHeldBytesMax) {
        return dialect::unusable_answer("too much before the first token");
    }
    held_ += event;
    return {};
}

Result<void> StreamRelay::emit_data(std::string_view data, std::string& out) {
    std::string event;
    append_data(event, data);
    return emit(event, out);
}

// A guardrail has ended the last open choice: the rest of the provider's answer is not waited for.
void StreamRelay::terminate(std::string& out) {
    if (terms_.include_usage) {
        append_data(out, openai_chat::make_usage_chunk(identity_, usage()));
    }
    out += kDoneEvent;
    done_ = true;
}

}  // namespace weir::pipeline
