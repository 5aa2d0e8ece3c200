// A stream whose two sides speak the same dialect: what is held until the commit, what passes byte
// for byte, what is rewritten or left out, where a guardrail ends it, what it used.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/edge.h"
#include "dialect/json/splice.h"
#include "dialect/sse/decoder.h"
#include "pipeline/relay.h"

namespace weir::pipeline {

struct PassTerms {
    const dialect::PassEdge& pass;
    const dialect::ClientEdge& client;
    const dialect::ProviderEdge& provider;
    dialect::AnswerTerms answer;  // `model` empty: as it came
    std::string_view request_id;  // of the error event
    std::int64_t choices = 1;     // as the request had it
    bool may_omit_done = false;   // the provider is known to leave out its terminal event
    std::int64_t input_tokens_estimate = 0;
    const guardrail::OutputRules* rules = nullptr;  // null: none
};

// Memory that all streams of a thread use in turn, within one call of feed(): it stays in the
// cache, as what each stream has of its own does not.
struct StreamScratch {
    dialect::json::Scratch json;
    dialect::AnswerView view;
    std::string rewritten;
};

class PassRelay final : public Relay {
public:
    // The terms' views and the scratch must outlive it.
    PassRelay(const PassTerms& terms, StreamScratch& scratch);
    ~PassRelay() override;
    PassRelay(const PassRelay&) = delete;

    Result<void> feed(std::string_view bytes, std::string& out) override;
    Result<void> end(std::string& out) override;
    void fail(const Error& error, std::string& out) override;
    llm::Usage usage() const override;
    const MadeIds& made_ids() const override { return ids_; }

private:
    struct TextState;
    Result<void> on_event(const dialect::sse::Event& event, std::string& out);
    Result<void> on_terminal(const dialect::sse::Event& event, std::string& out);
    // true: the event was dealt with; false: it may pass as it is.
    Result<bool> screen(const dialect::sse::Event& event, std::string& out);
    Result<void> flush(std::string& out);
    Result<void> emit_rewritten(const dialect::sse::Event& event,
                                const dialect::json::Splice& splice,
                                std::string& out);
    Result<void> emit_renamed(const dialect::sse::Event& event, std::string& out);
    Result<TextState*> state_of(std::int64_t index);
    guardrail::AnswerLength& length_of(std::int64_t index);
    void commit(std::string& out);
    Result<void> emit(std::string_view event, std::string& out);

    // What every chunk touches stands first.
    StreamScratch& scratch_;
    bool finish_seen_ = false;
    std::int64_t text_events_ = 0;
    std::uint64_t text_bytes_ = 0;
    dialect::sse::Decoder decoder_;
    std::unique_ptr<dialect::StreamReader> reader_;
    const PassTerms terms_;
    std::string quoted_model_;  // the public one, once it is needed
    // Of texts, and of the answers they belong to; only where there are rules.
    std::vector<std::unique_ptr<TextState>> texts_;
    std::deque<std::pair<std::int64_t, guardrail::AnswerLength>> lengths_;
    std::string held_;
    std::size_t held_events_ = 0;
    std::optional<llm::Usage> usage_;
    MadeIds ids_;
};

}  // namespace weir::pipeline
