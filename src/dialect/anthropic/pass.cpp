// An answer or event that passes as it came: where its texts, its usage and its name lie; and the
// events that Weir makes itself when a guardrail ends a stream.
#include <fmt/format.h>

#include <array>

#include "dialect/anthropic/codec.h"
#include "dialect/failure.h"
#include "dialect/json/value.h"

namespace weir::dialect::anthropic {
namespace {

using json::Kind;
using json::Span;

enum class EventType : std::uint8_t {
    other,
    message,
    message_start,
    block_start,
    block_delta,
    block_stop,
    message_delta,
    message_stop,
};

EventType type_of(std::string_view word) {
    static constexpr std::array<std::pair<std::string_view, EventType>, 7> kTypes{{
        {"content_block_delta", EventType::block_delta},
        {"content_block_start", EventType::block_start},
        {"content_block_stop", EventType::block_stop},
        {"message_delta", EventType::message_delta},
        {"message_start", EventType::message_start},
        {"message_stop", EventType::message_stop},
        {"message", EventType::message},
    }};
    for (const auto& [name, type] : kTypes) {
        if (name == word) {
            return type;
        }
    }
    return EventType::other;
}

// One visitor for whole messages and for each event: `message` and `content_block` of an event have
// the shape of a whole answer and of one of its blocks.
struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kMessage,
        kContent,
        kBlock,  // also `delta`
        kUsage,
        kUsagePart,
        kError,
        kContainer,
        kResult,  // of a tool that the provider ran
        kResults,
        kMadeFile,
    };

    std::string_view text;
    UsageCounters& counters;
    AnswerView& answer;
    bool is_object = false;
    bool has_usage = false;
    Span type;  // of the body
    std::int64_t index = 0;
    Span block_type, block_text;  // of the block that is open, or the only one

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                is_object = object;
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                if ((key == "delta" || key == "content_block") && object) {
                    return kBlock;
                }
                if (key == "message" && object) {
                    return kMessage;
                }
                if (key == "error") {
                    return kError;
                }
                [[fallthrough]];
            case kMessage:
                if (key == "container" && object) {
                    return kContainer;
                }
                if (key == "usage" && object) {
                    has_usage = true;
                    return kUsage;
                }
                return key == "content" && !object ? int{kContent} : json::kIgnored;
            case kContent:
                answer.outputs.push_back(
                    {.index = static_cast<std::int64_t>(answer.outputs.size())});
                block_type = block_text = {};
                return object ? int{kBlock} : json::kIgnored;
            case kBlock:
                return !object              ? json::kIgnored
                       : key == "content"   ? int{kResult}
                       : key == "container" ? int{kContainer}  // of message_delta
                                            : json::kIgnored;
            case kResult:
                return key == "content" && !object ? int{kResults} : json::kIgnored;
            case kResults:
                return object ? int{kMadeFile} : json::kIgnored;
            case kUsage:
                return object ? int{kUsagePart} : json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    void close(int scope, Span span) {
        if (scope == kError) {
            answer.error = span;
        } else if (scope == kBlock && !answer.outputs.empty()) {
            settle(answer.outputs.back());
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const bool is_string = kind == Kind::string;
        switch (scope) {
            case kBody:
                if (key == "type" && is_string) {
                    type = span;
                } else if (key == "index") {
                    index = json::read_integer(span.in(text)).value_or(0);
                } else if (key == "error" && kind != Kind::null) {
                    answer.error = span;
                }
                [[fallthrough]];
            case kMessage:
                if (key == "model" && is_string) {
                    answer.model = span;
                } else if (key == "stop_reason" && is_string) {
                    answer.finished = true;
                }
                return;
            case kBlock:
                if (key == "type" && is_string) {
                    block_type = span;
                } else if (key == "text" && is_string) {
                    block_text = span;
                } else if (key == "stop_reason" && is_string) {  // of message_delta
                    answer.finished = true;
                } else if (key == "file_id" && is_string) {
                    answer.file_ids.push_back(span);
                }
                return;
            case kContainer:
                if (key == "id" && is_string) {
                    answer.file_ids.push_back(span);
                }
                return;
            case kMadeFile:
                if (key == "file_id" && is_string) {
                    answer.file_ids.push_back(span);
                }
                return;
            case kUsage:
            case kUsagePart:
                if (kind == Kind::number) {
                    if (const auto value = json::read_integer(span.in(text))) {
                        counters.set(key, *value);
                    }
                } else if (is_string && key == "service_tier") {
                    counters.set_tier(json::between_quotes(span.in(text)));
                }
                return;
            default:
                return;
        }
    }

    bool block_is(std::string_view word) const {
        return block_type.is_set() && json::between_quotes(block_type.in(text)) == word;
    }
    // What the block that has just been read is to the answer.
    void settle(AnswerView::Output& output) const {
        if (block_is("text") || block_is("text_delta")) {
            output.text = block_text;
        } else {
            output.has_other = true;
        }
    }
};

Result<void> scan(std::string_view text, json::Scratch& scratch, Reader& reader) {
    reader.answer.clear();
    const auto scanned = json::scan(text, json::Duplicates::allowed, scratch, reader);
    if (!scanned || !reader.is_object) {
        return unusable_answer(scanned ? "the answer is no JSON object"
                                       : scanned.error().message());
    }
    if (reader.has_usage && reader.counters.is_known()) {
        reader.answer.usage = reader.counters.normal();
    }
    return {};
}

class MessagesReader : public StreamReader {
public:
    Result<void> read(const sse::Event& event, json::Scratch& scratch, AnswerView& into) override {
        Reader reader{.text = event.data, .counters = counters_, .answer = into};
        WEIR_TRY(scan(event.data, scratch, reader));
        const std::string_view word =
            reader.type.is_set() ? json::between_quotes(reader.type.in(event.data)) : event.name;
        switch (type_of(word)) {
            case EventType::block_start:
                has_text_ = false;
                into.outputs.push_back({.index = reader.index});
                reader.settle(into.outputs.back());
                is_text_ = reader.block_is("text");
                text_index_ = reader.index;
                note_text(into);
                // Not an output yet: a thought or a text that has only begun.
                if (is_text_ || reader.block_is("thinking")) {
                    into.outputs.back().has_other = false;
                }
                break;
            case EventType::block_delta:
                into.outputs.push_back({.index = reader.index});
                reader.settle(into.outputs.back());
                note_text(into);
                break;
            case EventType::block_stop:
                // The end of a text has no word for why: the event's own name stands for one.
                if (is_text_ && has_text_ && text_index_ == reader.index) {
                    into.outputs.push_back({.index = reader.index, .finish = reader.type});
                }
                is_text_ = false;
                break;
            case EventType::message_delta:
                delta_passed_ = delta_passed_ || into.finished;
                break;
            case EventType::message_stop:
                into.is_terminal = true;
                break;
            case EventType::message:
            case EventType::message_start:
            case EventType::other:
                break;
        }
        return {};
    }

    void append_text(std::int64_t index, std::string_view text, std::string& out) override {
        fmt::format_to(std::back_inserter(out),
                       "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\","
                       "\"index\":{},\"delta\":{{\"type\":\"text_delta\",\"text\":\"",
                       index);
        json::append_escaped(out, text);
        out += "\"}}\n\n";
    }

    void append_stop(std::int64_t index, llm::FinishReason reason, std::string& out) override {
        reason_ = reason;
        fmt::format_to(std::back_inserter(out),
                       "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\","
                       "\"index\":{}}}\n\n",
                       index);
    }

    void append_terminal(const llm::Usage& usage, std::string& out) override {
        if (!delta_passed_) {
            out += "event: message_delta\ndata: ";
            json::Writer json(out);
            json.object().field("type", "message_delta").key("delta").object();
            write_stop(stop_reason(reason_, {}), {}, json);
            json.end_object().key("usage").object();
            write_usage(usage, json);
            json.end_object().end_object();
            out += "\n\n";
        }
        out += "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    }

private:
    void note_text(const AnswerView& into) {
        has_text_ = has_text_ || into.outputs.back().text.size > 2;
    }

    UsageCounters counters_;
    // Blocks follow each other: one text is open at most.
    bool is_text_ = false;
    bool has_text_ = false;
    std::int64_t text_index_ = 0;
    bool delta_passed_ = false;
    llm::FinishReason reason_ = llm::FinishReason::stop;
};

}  // namespace

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into) {
    UsageCounters counters;
    Reader reader{.text = text, .counters = counters, .answer = into};
    WEIR_TRY(scan(text, scratch, reader));
    into.is_terminal = true;
    return {};
}

std::unique_ptr<StreamReader> read_stream(const AnswerTerms&) {
    return std::make_unique<MessagesReader>();
}

}  // namespace weir::dialect::anthropic
