// One event of a stream, or a whole answer, read in one pass for a relay that passes it on: what it
// is about, where its texts lie, what it cost. Within the folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dialect/json/scanner.h"
#include "dialect/stream.h"

namespace weir::dialect::openai_responses {

class PassScan {
public:
    enum class Of : std::uint8_t { event, whole_answer };
    PassScan(Of of, std::string_view bytes, AnswerView& into) : text(bytes), view(into), of_(of) {}

    std::string_view text;
    AnswerView& view;

    // Of an event. Strings have their quotes.
    json::Span type, item_id, delta, whole_text, logprobs, item, item_type;
    std::int64_t output_index = 0, content_index = 0;
    std::optional<std::int64_t> sequence;
    // Of the response.
    json::Span response, status;
    std::int64_t items = 0;        // in its output
    std::int64_t whole_texts = 0;  // not empty, in its output or in `item`

    // Errors: upstream_invalid_response.
    Result<void> run(json::Scratch& scratch);

    // For json::scan().
    int open(int scope, std::string_view key, json::Kind kind);
    void close(int scope, json::Span span);
    void scalar(int scope, std::string_view key, json::Kind kind, json::Span span);

private:
    enum Scope : int {
        kEvent = json::kRoot + 1,
        kResponse,
        kError,
        kUsage,
        kInputDetails,
        kOutputDetails,
        kOutput,
        kItem,
        kContent,
        kPart,
        kLogprobs,
        kAnnotations,
        kAnnotation,  // and whatever else names files
    };
    void scalar_of_event(std::string_view key, json::Kind kind, json::Span span);
    void scalar_of_usage(int scope, std::string_view key, json::Kind kind, json::Span span);
    void end_item(json::Span span);
    void end_part();
    bool says(json::Span word, std::string_view text) const;

    bool is_whole() const { return of_ == Of::whole_answer; }

    Of of_;
    bool is_object_ = false;
    bool has_usage_ = false;
    llm::Usage usage_;
    std::int64_t searches_ = 0;
    std::int64_t part_index_ = 0;
    json::Span part_type_, part_text_;
    bool in_output_ = false;  // of the response; else `item` of the event
};

// Contents of one message: far more than there are.
inline constexpr std::int64_t kContentsMax = 1 << 16;

// A number for each text of an answer: item x kContentsMax + content. Errors:
// upstream_invalid_response for places that no answer has.
Result<std::int64_t> text_index(std::int64_t output_index, std::int64_t content_index);

}  // namespace weir::dialect::openai_responses
