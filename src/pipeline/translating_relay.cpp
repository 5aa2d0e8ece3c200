#include "pipeline/translating_relay.h"

#include <algorithm>

#include "dialect/failure.h"
#include "pipeline/screen.h"

namespace weir::pipeline {

using Kind = llm::Event::Kind;

// A text that is being said, behind its filter.
struct TranslatingRelay::Text {
    Text(const llm::Event& begin,
         const guardrail::OutputRules& rules,
         guardrail::AnswerLength& length)
        : choice(begin.choice), part(begin.part), filter(rules, length) {}
    std::uint32_t choice;
    std::uint32_t part;
    bool begun = false;  // the client was told: not before something of it may be said
    guardrail::OutputFilter filter;
};

TranslatingRelay::TranslatingRelay(const TranslationTerms& terms)
    : terms_(terms),
      decoder_(terms.provider.decode_stream(terms.may_omit_terminal)),
      encoder_(terms.client.encode_stream(terms.answer)) {}
TranslatingRelay::~TranslatingRelay() = default;

llm::Usage TranslatingRelay::usage() const {
    if (usage_) {
        return *usage_;
    }
    return {.input_tokens = terms_.input_tokens_estimate,
            .output_tokens = estimate_output_tokens(text_events_, text_bytes_),
            .estimated = true};
}

Result<void> TranslatingRelay::feed(std::string_view bytes, std::string& out) {
    if (done_) {
        return {};
    }
    out_ = &out;
    return decoder_->feed(bytes, *this);
}

Result<void> TranslatingRelay::end(std::string& out) {
    if (done_) {
        return {};
    }
    out_ = &out;
    WEIR_TRY(decoder_->end(*this));
    return done_ ? Result<void>{}
                 : dialect::unusable_answer("the stream ended without its terminal event");
}

void TranslatingRelay::fail(const Error& error, std::string& out) { encoder_->fail(error, out); }

Result<void> TranslatingRelay::take(const llm::Event& event) {
    if (done_) {
        return {};  // a guardrail ended it
    }
    switch (event.kind) {
        case Kind::start:
            return encode(event);
        case Kind::usage:
            usage_ = event.usage->clamped();
            return encode(event);
        case Kind::end:
            if (!produced_) {
                return dialect::unusable_answer("the stream ended before its first token");
            }
            WEIR_TRY(encode(event));
            done_ = true;
            return {};
        case Kind::part_begin:
        case Kind::delta:
        case Kind::signature:
        case Kind::citation:
        case Kind::part_end:
        case Kind::finish:
            break;
    }
    if (event.choice < stopped_.size() && stopped_[event.choice]) {
        return {};
    }
    if (event.kind == Kind::delta) {
        ++text_events_;
        text_bytes_ += event.text.size();
    }
    if (terms_.rules != nullptr) {
        if (event.kind == Kind::part_begin && event.part_kind == llm::PartKind::text) {
            if (lengths_.size() <= event.choice) {
                lengths_.resize(event.choice + 1);
            }
            texts_.push_back(std::make_unique<Text>(event, *terms_.rules, lengths_[event.choice]));
            return {};
        }
        if (Text* const text = text_of(event); text != nullptr) {
            if (event.kind == Kind::delta) {
                return screen_delta(event, *text);
            }
            if (event.kind == Kind::part_end) {
                return screen_end(event, *text);
            }
            WEIR_TRY(begin_text(*text));
        }
    }
    return encode(event);
}

TranslatingRelay::Text* TranslatingRelay::text_of(const llm::Event& event) {
    for (const auto& text : texts_) {
        if (text->choice == event.choice && text->part == event.part) {
            return text.get();
        }
    }
    return nullptr;
}

Result<void> TranslatingRelay::begin_text(Text& text) {
    if (text.begun) {
        return {};
    }
    text.begun = true;
    return encode({.kind = Kind::part_begin,
                   .choice = text.choice,
                   .part = text.part,
                   .part_kind = llm::PartKind::text});
}

Result<void> TranslatingRelay::screen_delta(const llm::Event& event, Text& text) {
    if (text.filter.pass(event.text)) {
        WEIR_TRY(begin_text(text));
        return encode(event);
    }
    released_.clear();
    const auto why = text.filter.feed(event.text, released_);
    if (!released_.empty()) {
        WEIR_TRY(begin_text(text));
        llm::Event part = event;
        part.text = released_;
        part.logprobs = {};  // they would spell out what is held back
        WEIR_TRY(encode(part));
    }
    return why == guardrail::Stop::none ? Result<void>{} : stop(event, text, why);
}

Result<void> TranslatingRelay::screen_end(const llm::Event& event, Text& text) {
    released_.clear();
    const auto why = text.filter.finish(released_);
    if (!released_.empty()) {
        WEIR_TRY(begin_text(text));
        llm::Event part = event;
        part.kind = Kind::delta;
        part.part_kind = llm::PartKind::text;
        part.text = released_;
        WEIR_TRY(encode(part));
    }
    if (why != guardrail::Stop::none) {
        return stop(event, text, why);
    }
    WEIR_TRY(begin_text(text));
    std::erase_if(texts_, [&text](const auto& one) { return one.get() == &text; });
    return encode(event);
}

// A guardrail ends the choice here; when it was the last one, the rest of the provider's answer is
// not waited for.
Result<void> TranslatingRelay::stop(const llm::Event& event,
                                    const Text& text,
                                    guardrail::Stop why) {
    if (text.begun) {
        WEIR_TRY(encode({.kind = Kind::part_end,
                         .choice = event.choice,
                         .part = event.part,
                         .part_kind = llm::PartKind::text}));
    }
    WEIR_TRY(encode({.kind = Kind::finish, .choice = event.choice, .reason = reason_of(why)}));
    if (stopped_.size() <= event.choice) {
        stopped_.resize(event.choice + 1);
    }
    stopped_[event.choice] = true;
    const auto ended = std::count(stopped_.begin(), stopped_.end(), true);
    if (ended >= terms_.choices) {
        const llm::Usage used = usage();
        WEIR_TRY(encode({.kind = Kind::usage, .usage = &used}));
        WEIR_TRY(encode({.kind = Kind::end}));
        done_ = true;
    }
    return {};
}

Result<void> TranslatingRelay::encode(const llm::Event& event) {
    const bool is_output =
        event.kind == Kind::finish ||
        (event.kind == Kind::part_begin && event.part_kind == llm::PartKind::tool_call) ||
        (event.kind == Kind::delta && !event.text.empty()) || event.kind == Kind::signature;
    produced_ = produced_ || is_output;
    if (!committed_ && is_output) {
        committed_ = true;
        *out_ += held_;
        held_ = {};
    }
    if (committed_) {
        encoder_->take(event, *out_);
        return {};
    }
    encoder_->take(event, held_);
    if (++held_events_ > kHeldEventsMax || held_.size() > kHeldBytesMax) {
        return dialect::unusable_answer("too much before the first token");
    }
    return {};
}

}  // namespace weir::pipeline
