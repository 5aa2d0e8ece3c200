#include "pipeline/pass_relay.h"

#include <algorithm>

#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "dialect/rewrite.h"
#include "pipeline/screen.h"

namespace weir::pipeline {

namespace json = dialect::json;
using dialect::AnswerView;

namespace {

// A provider's comments say that it lives, and sometimes who it is: only the first is passed on.
constexpr std::string_view kAliveEvent = ": waiting\n\n";
// Texts of one answer: OpenAI gives at most 128 choices, blocks are far fewer.
constexpr std::size_t kTextsMax = 1024;

bool is_output(const AnswerView::Output& output) {
    return output.text.size > 2 || output.has_other || output.finish.is_set();
}

// An event's lines around its data: `event: name` and then `data: …`.
void append_event(std::string& into, std::string_view name, std::string_view data) {
    if (!name.empty()) {
        into += "event: ";
        into += name;
        into += '\n';
    }
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

struct PassRelay::TextState {
    TextState(std::int64_t number,
              const guardrail::OutputRules& rules,
              guardrail::AnswerLength& length)
        : index(number), filter(rules, length) {}
    std::int64_t index;
    guardrail::OutputFilter filter;
    bool stopped = false;   // by a guardrail
    bool finished = false;  // by the model
};

PassRelay::PassRelay(const PassTerms& terms, StreamScratch& scratch)
    : scratch_(scratch), reader_(terms.pass.read_stream(terms.answer)), terms_(terms) {}
PassRelay::~PassRelay() = default;

std::int64_t estimate_output_tokens(std::int64_t text_events, std::uint64_t text_bytes) {
    constexpr std::uint64_t kBytesPerToken = 4;
    return std::max(text_events,
                    static_cast<std::int64_t>((text_bytes + kBytesPerToken - 1) / kBytesPerToken));
}

void add_made_id(std::string id, std::vector<std::string>& into) {
    if (into.size() < kMadeIdsMax && std::find(into.begin(), into.end(), id) == into.end()) {
        into.push_back(std::move(id));
    }
}

llm::Usage PassRelay::usage() const {
    if (usage_) {
        return *usage_;
    }
    return {.input_tokens = terms_.input_tokens_estimate,
            .output_tokens = estimate_output_tokens(text_events_, text_bytes_),
            .estimated = true};
}

Result<void> PassRelay::feed(std::string_view bytes, std::string& out) {
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

Result<void> PassRelay::end(std::string& out) {
    if (done_) {
        return {};
    }
    const bool is_whole = !decoder_.has_partial() && finish_seen_;
    if (is_whole && (terms_.may_omit_done || reader_->ends_with_body())) {
        WEIR_TRY(flush(out));
        if (!reader_->ends_with_body()) {
            reader_->append_terminal(usage(), out);
        }
        done_ = true;
        return {};
    }
    return dialect::unusable_answer("the stream ended without its terminal event");
}

void PassRelay::fail(const Error& error, std::string& out) {
    if (!reader_->append_error(error, out)) {
        terms_.client.encode_stream(terms_.answer)->fail(error, out);
    }
}

Result<void> PassRelay::on_event(const dialect::sse::Event& event, std::string& out) {
    if (event.kind == dialect::sse::Event::Kind::comment) {
        if (committed_) {
            out += kAliveEvent;
        }
        return {};
    }
    AnswerView& view = scratch_.view;
    WEIR_TRY(reader_->read(event, scratch_.json, view));
    if (view.error.is_set()) {
        // The status that the provider would have used was spent on 200; its words say the rest.
        return std::unexpected(
            terms_.provider.decode_error({.status = dialect::kServerError, .body = event.data}));
    }
    if (view.usage) {
        usage_ = view.usage;
        if (view.is_usage_only && !terms_.answer.include_usage) {
            return {};  // it was asked for by Weir, not by the client
        }
    }
    for (const json::Span id : view.ids) {
        add_made_id(json::read_string(id.in(event.data)), ids_.kept);
    }
    for (const json::Span id : view.file_ids) {
        add_made_id(json::read_string(id.in(event.data)), ids_.files);
    }
    finish_seen_ = finish_seen_ || view.finished;
    bool output = view.finished;
    for (const auto& one : view.outputs) {
        output = output || is_output(one);
        if (one.text.size > 2) {
            ++text_events_;
            text_bytes_ += one.text.size - 2;
        }
    }
    if (output && !committed_) {
        commit(out);
    }
    if (view.is_terminal) {
        return on_terminal(event, out);
    }
    if (terms_.rules != nullptr && output && !view.outputs.empty()) {
        WEIR_TRY(const bool handled, screen(event, out));
        if (handled) {
            return {};
        }
    }
    if (terms_.answer.model.empty() || !view.model.is_set()) {
        return emit(event.raw, out);
    }
    return emit_renamed(event, out);
}

Result<void> PassRelay::on_terminal(const dialect::sse::Event& event, std::string& out) {
    if (!committed_) {
        return dialect::unusable_answer("the stream ended before its first token");
    }
    WEIR_TRY(flush(out));
    if (terms_.answer.model.empty() || !scratch_.view.model.is_set()) {
        WEIR_TRY(emit(event.raw, out));
    } else {
        WEIR_TRY(emit_renamed(event, out));
    }
    done_ = true;
    return {};
}

// A text whose end never came: what was held back is decided now.
Result<void> PassRelay::flush(std::string& out) {
    for (const auto& state : texts_) {
        if (state->stopped || state->finished) {
            continue;
        }
        scratch_.rewritten.clear();
        const auto stop = state->filter.finish(scratch_.rewritten);
        if (!scratch_.rewritten.empty()) {
            reader_->append_text(state->index, scratch_.rewritten, out);
        }
        if (stop != guardrail::Stop::none) {
            reader_->append_stop(state->index, reason_of(stop), out);
        }
    }
    return {};
}

// Every chunk of an aliased model comes here: the event as it was, but for the name.
Result<void> PassRelay::emit_renamed(const dialect::sse::Event& event, std::string& out) {
    const json::Span model = scratch_.view.model;
    if (quoted_model_.empty()) {
        quoted_model_ = '"';
        json::append_escaped(quoted_model_, terms_.answer.model);
        quoted_model_ += '"';
    }
    const bool inside =
        event.data.data() >= event.raw.data() &&
        event.data.data() + event.data.size() <= event.raw.data() + event.raw.size();
    if (!inside || !committed_) {  // joined from several lines, or held
        json::Splice splice(event.data);
        splice.replace(model, quoted_model_);
        return emit_rewritten(event, splice, out);
    }
    const auto at = static_cast<std::size_t>(event.data.data() - event.raw.data()) + model.at;
    out += event.raw.substr(0, at);
    out += quoted_model_;
    out += event.raw.substr(at + model.size);
    return {};
}

Result<void> PassRelay::emit_rewritten(const dialect::sse::Event& event,
                                       const json::Splice& splice,
                                       std::string& out) {
    std::string rewritten;
    append_event(rewritten, event.name, splice.str());
    return emit(rewritten, out);
}

// The outputs of the event in scratch_.view, each through its filter.
Result<bool> PassRelay::screen(const dialect::sse::Event& event, std::string& out) {
    const AnswerView& view = scratch_.view;
    std::vector<dialect::Cut> changes;
    std::vector<std::pair<std::int64_t, llm::FinishReason>> stops;  // to be told after the event
    std::size_t dropped = 0;
    bool stopped_now = false;
    auto last_reason = llm::FinishReason::none;
    for (std::size_t i = 0; i < view.outputs.size(); ++i) {
        const auto& output = view.outputs[i];
        if (output.text.size <= 2 && !output.finish.is_set() && output.has_other) {
            continue;  // nothing to read in it
        }
        WEIR_TRY(TextState* const state, state_of(output.index));
        if (state->stopped) {
            ++dropped;
            if (view.outputs.size() > 1) {
                changes.push_back({.output = i, .kept = {}});
            }
            continue;
        }
        scratch_.rewritten.clear();
        bool replaced = false;
        auto stop = guardrail::Stop::none;
        if (output.text.size > 2) {
            std::string unescaped;
            const std::string_view text = json::view_string(output.text.in(event.data), unescaped);
            if (!state->filter.pass(text)) {
                stop = state->filter.feed(text, scratch_.rewritten);
                replaced = true;
            }
        }
        if (stop == guardrail::Stop::none && output.finish.is_set()) {
            state->finished = true;
            stop = state->filter.finish(scratch_.rewritten);
            if (!replaced && !scratch_.rewritten.empty()) {
                // Text that was held back comes out with an event that has none of its own.
                reader_->append_text(output.index, scratch_.rewritten, out);
            }
        }
        if (stop != guardrail::Stop::none) {
            state->stopped = stopped_now = true;
            last_reason = reason_of(stop);
            if (view.outputs.size() == 1 || !output.text.is_set()) {
                if (replaced && !scratch_.rewritten.empty()) {
                    reader_->append_text(output.index, scratch_.rewritten, out);
                }
                reader_->append_stop(output.index, last_reason, out);
                ++dropped;
                continue;
            }
            if (!output.finish.is_set()) {
                stops.emplace_back(output.index, last_reason);
            }
        }
        if (replaced || stop != guardrail::Stop::none) {
            if (replaced) {
                reader_->replace_text(output.index, scratch_.rewritten);
            }
            changes.push_back(
                {.output = i,
                 .kept = scratch_.rewritten,
                 .finish_word = std::string(stop == guardrail::Stop::none
                                                ? std::string_view{}
                                                : reader_->finish_word(reason_of(stop)))});
            const bool nothing_left = scratch_.rewritten.empty() && !output.finish.is_set() &&
                                      !output.has_other && stop == guardrail::Stop::none;
            dropped += nothing_left ? 1 : 0;
        }
    }
    const bool all_dropped = dropped == view.outputs.size();
    if (!changes.empty() && !all_dropped) {
        json::Splice splice(event.data);
        dialect::rewrite_answer(view, terms_.answer.model, changes, splice);
        WEIR_TRY(emit_rewritten(event, splice, out));
        for (const auto& [index, reason] : stops) {
            reader_->append_stop(index, reason, out);
        }
    }
    if (stopped_now) {
        const auto ended = std::count_if(texts_.begin(), texts_.end(), [](const auto& state) {
            return state->stopped || state->finished;
        });
        // The rest of the provider's answer is not waited for.
        if (ended >= terms_.choices) {
            reader_->append_terminal(usage(), out);
            done_ = true;
        }
    }
    return all_dropped || !changes.empty();
}

Result<PassRelay::TextState*> PassRelay::state_of(std::int64_t index) {
    for (const auto& state : texts_) {
        if (state->index == index) {
            return state.get();
        }
    }
    // In OpenAI's chat a text is a choice, of which the client asked for so many.
    const std::size_t most = terms_.pass.dialect == llm::Dialect::openai_chat
                                 ? static_cast<std::size_t>(terms_.choices)
                                 : kTextsMax;
    if (texts_.size() >= most) {
        return dialect::unusable_answer("more choices than were asked for");
    }
    texts_.push_back(std::make_unique<TextState>(index, *terms_.rules, length_of(index)));
    return texts_.back().get();
}

guardrail::AnswerLength& PassRelay::length_of(std::int64_t index) {
    const std::int64_t answer = answer_of(terms_.pass.dialect, index);
    for (auto& [number, length] : lengths_) {
        if (number == answer) {
            return length;
        }
    }
    return lengths_.emplace_back(answer, guardrail::AnswerLength{}).second;
}

void PassRelay::commit(std::string& out) {
    committed_ = true;
    out += held_;
    held_ = {};
}

Result<void> PassRelay::emit(std::string_view event, std::string& out) {
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

}  // namespace weir::pipeline
