// A stream whose two sides speak different dialects: the provider's bytes become events, a
// guardrail reads the texts among them, and the client's dialect writes them down.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dialect/edge.h"
#include "pipeline/relay.h"

namespace weir::pipeline {

struct TranslationTerms {
    const dialect::ClientEdge& client;
    const dialect::ProviderEdge& provider;
    dialect::AnswerTerms answer;
    std::int64_t choices = 1;
    bool may_omit_terminal = false;
    std::int64_t input_tokens_estimate = 0;
    const guardrail::OutputRules* rules = nullptr;  // null: none
};

class TranslatingRelay final : public Relay, private dialect::EventSink {
public:
    // The terms' views must outlive it.
    explicit TranslatingRelay(const TranslationTerms& terms);
    ~TranslatingRelay() override;
    TranslatingRelay(const TranslatingRelay&) = delete;

    Result<void> feed(std::string_view bytes, std::string& out) override;
    Result<void> end(std::string& out) override;
    void fail(const Error& error, std::string& out) override;
    llm::Usage usage() const override;

private:
    struct Text;
    Result<void> take(const llm::Event& event) override;
    Result<void> screen_delta(const llm::Event& event, Text& text);
    Result<void> screen_end(const llm::Event& event, Text& text);
    Result<void> stop(const llm::Event& event, const Text& text, guardrail::Stop why);
    Result<void> encode(const llm::Event& event);
    Result<void> begin_text(Text& text);
    Text* text_of(const llm::Event& event);

    const TranslationTerms terms_;
    std::unique_ptr<dialect::StreamDecoder> decoder_;
    std::unique_ptr<dialect::StreamEncoder> encoder_;
    std::string* out_ = nullptr;  // of the call of feed() or end() that runs
    std::string held_;            // until the commit
    std::size_t held_events_ = 0;
    bool produced_ = false;  // a part began, or the model finished
    std::int64_t text_events_ = 0;
    std::uint64_t text_bytes_ = 0;
    std::optional<llm::Usage> usage_;
    // Only where there are rules: texts that are open, and how long each choice is.
    std::vector<std::unique_ptr<Text>> texts_;
    std::deque<guardrail::AnswerLength> lengths_;
    std::vector<bool> stopped_;  // by a guardrail, by choice
    std::string released_;
};

}  // namespace weir::pipeline
