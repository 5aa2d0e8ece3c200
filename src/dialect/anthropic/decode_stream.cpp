// A provider's stream as events. Its blocks say where they begin and end; a part begins with the
// first that it says, so that an empty block is no part.
#include <algorithm>

#include "base/text.h"
#include "dialect/answer_tool.h"
#include "dialect/anthropic/codec.h"
#include "dialect/failure.h"

namespace weir::dialect::anthropic {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

// Anthropic's blocks follow each other; who opens more at once has lost count.
constexpr std::size_t kOpenBlocksMax = 64;

struct Block {
    enum class Kind : std::uint8_t {
        text,
        thinking,
        tool,
        answer,  // a text in the form of a call
        ignored,
    };
    std::int64_t index = 0;
    Kind kind = Kind::ignored;
    bool begun = false;
    bool has_arguments = false;
    std::uint32_t part = 0;
    std::string input{};  // of a tool whose arguments came with its beginning
};

PartKind part_kind(Block::Kind kind) {
    return kind == Block::Kind::text || kind == Block::Kind::answer ? PartKind::text
           : kind == Block::Kind::tool                              ? PartKind::tool_call
                                                                    : PartKind::reasoning;
}

class Decoder : public StreamDecoder {
public:
    explicit Decoder(bool may_omit_terminal) : may_omit_terminal_(may_omit_terminal) {}

    Result<void> feed(std::string_view bytes, EventSink& sink) override {
        sse_.feed(bytes);
        sse::Event event;
        while (!ended_) {
            WEIR_TRY(const bool found, sse_.next(event));
            if (!found) {
                break;
            }
            if (event.kind == sse::Event::Kind::message && !event.data.empty()) {
                WEIR_TRY(on_event(event, sink));
            }
        }
        return {};
    }

    Result<void> end(EventSink& sink) override {
        if (ended_) {
            return {};
        }
        if (may_omit_terminal_ && finished_ && !sse_.has_partial()) {
            ended_ = true;
            return sink.take({.kind = Kind::end});
        }
        return unusable_answer("the stream ended without message_stop");
    }

private:
    Result<void> on_event(const sse::Event& event, EventSink& sink);
    Result<void> on_start(Value message, EventSink& sink);
    Result<void> on_block_start(Value root, EventSink& sink);
    Result<void> on_block_delta(Value root, EventSink& sink);
    Result<void> on_message_delta(Value root, EventSink& sink);
    Result<void> on_usage(Value usage, EventSink& sink);
    Result<void> begin(Block& block, EventSink& sink);
    Result<void> say(Block& block, Value text, EventSink& sink);
    Result<void> sign(Block& block, Value signature, EventSink& sink);
    Result<void> cite(Block& block, Value citation, EventSink& sink);
    Result<void> close(Block& block, EventSink& sink);
    Result<void> close_all(EventSink& sink);
    Block* find(std::int64_t index);
    // An event of the part that `block` is.
    static llm::Event of(const Block& block, Kind kind) {
        return {.kind = kind, .part = block.part, .part_kind = part_kind(block.kind)};
    }

    const bool may_omit_terminal_;
    bool started_ = false;
    bool finished_ = false;
    bool ended_ = false;
    bool has_call_ = false;
    bool has_answer_ = false;  // in the form of a call
    std::uint32_t parts_ = 0;
    std::vector<Block> open_;
    UsageCounters counters_;
    sse::Decoder sse_;
    json::Document document_;
    llm::Citation citation_;
    std::string type_, text_, id_, name_;  // unescaped, where that takes a copy
};

Result<void> Decoder::on_event(const sse::Event& event, EventSink& sink) {
    const auto parsed = document_.parse(event.data, json::Duplicates::allowed);
    if (!parsed) {
        return unusable_answer(parsed.error().message());
    }
    const Value root = *parsed;
    std::string_view type = root["type"].view(type_);
    if (type.empty()) {
        type = event.name;
    }
    if (type == "content_block_delta") {
        return on_block_delta(root, sink);
    }
    if (type == "error" || root["error"].has_value()) {
        return std::unexpected(decode_error({.status = kServerError, .body = event.data}));
    }
    if (type == "content_block_start") {
        return on_block_start(root, sink);
    }
    if (type == "content_block_stop") {
        Block* const block = find(root["index"].integer().value_or(-1));
        return block == nullptr ? Result<void>{} : close(*block, sink);
    }
    if (type == "message_start") {
        return on_start(root["message"], sink);
    }
    if (type == "message_delta") {
        return on_message_delta(root, sink);
    }
    if (type == "message_stop") {
        if (!finished_) {
            return unusable_answer("the stream stopped without a stop_reason");
        }
        ended_ = true;
        return sink.take({.kind = Kind::end});
    }
    return {};  // ping, and what is yet to be invented
}

// Look-alikes may leave the message's own beginning out: then there is nothing to say of it.
Result<void> Decoder::on_start(Value message, EventSink& sink) {
    if (started_) {
        return {};
    }
    started_ = true;
    WEIR_TRY(sink.take({.kind = Kind::start,
                        .id = message["id"].view(id_),
                        .model = message["model"].view(name_)}));
    return on_usage(message["usage"], sink);
}

Result<void> Decoder::on_usage(Value usage, EventSink& sink) {
    if (!usage.is_object()) {
        return {};
    }
    counters_.take(usage);
    if (!counters_.is_known()) {
        return {};
    }
    const llm::Usage known = counters_.normal();
    return sink.take({.kind = Kind::usage, .usage = &known});
}

Block* Decoder::find(std::int64_t index) {
    const auto found = std::find_if(
        open_.begin(), open_.end(), [index](const Block& block) { return block.index == index; });
    return found == open_.end() ? nullptr : &*found;
}

Result<void> Decoder::on_block_start(Value root, EventSink& sink) {
    const auto index = root["index"].integer();
    if (!index || *index < 0) {
        return unusable_answer("a content block without an index");
    }
    if (finished_) {
        return {};  // what comes after the end belongs to nothing
    }
    WEIR_TRY(on_start({}, sink));
    if (Block* const earlier = find(*index); earlier != nullptr) {
        WEIR_TRY(close(*earlier, sink));  // its end was left to be understood
    }
    if (open_.size() == kOpenBlocksMax) {
        return unusable_answer("too many content blocks are open at once");
    }
    const Value content = root["content_block"];
    Block& block = open_.emplace_back(Block{.index = *index});
    const Value type = content["type"];
    if (type.equals("text")) {
        block.kind = Block::Kind::text;
        return say(block, content["text"], sink);
    }
    if (type.equals("thinking")) {
        block.kind = Block::Kind::thinking;
        WEIR_TRY(say(block, content["thinking"], sink));
        return sign(block, content["signature"], sink);
    }
    if (type.equals("tool_use") && content["name"].equals(kAnswerTool)) {
        has_answer_ = true;
        block.kind = Block::Kind::answer;
        block.input = content["input"].size() > 0 ? content["input"].json() : "{}";
        return begin(block, sink);
    }
    if (type.equals("tool_use")) {
        block.kind = Block::Kind::tool;
        block.begun = has_call_ = true;
        block.part = parts_++;
        if (const Value input = content["input"]; input.size() > 0) {
            block.input = input.json();
        }
        llm::Event event = of(block, Kind::part_begin);
        event.id = content["id"].view(id_);
        event.name = content["name"].view(name_);
        return sink.take(event);
    }
    if (type.equals("redacted_thinking")) {
        block.kind = Block::Kind::thinking;
        block.begun = true;
        block.part = parts_++;
        llm::Event event = of(block, Kind::part_begin);
        event.redacted = true;
        WEIR_TRY(sink.take(event));
        return sign(block, content["data"], sink);
    }
    return {};  // what the provider's own tools do is no part of the answer's stream
}

Result<void> Decoder::on_block_delta(Value root, EventSink& sink) {
    if (finished_) {
        return {};
    }
    Block* const block = find(root["index"].integer().value_or(-1));
    if (block == nullptr) {
        return unusable_answer("a delta of a content block that is not open");
    }
    if (block->kind == Block::Kind::ignored) {
        return {};
    }
    const Value delta = root["delta"];
    for (const Value member : delta) {
        const std::string_view key = member.key();
        const bool fits = key == "text"           ? block->kind == Block::Kind::text
                          : key == "thinking"     ? block->kind == Block::Kind::thinking
                          : key == "partial_json" ? block->kind == Block::Kind::tool ||
                                                        block->kind == Block::Kind::answer
                                                  : false;
        if (fits) {
            WEIR_TRY(say(*block, member, sink));
        } else if (key == "signature") {
            WEIR_TRY(sign(*block, member, sink));
        } else if (key == "citation") {
            WEIR_TRY(cite(*block, member, sink));
        } else if (key == "text" || key == "thinking" || key == "partial_json") {
            return unusable_answer("a delta that does not fit its content block");
        }
    }
    return {};
}

Result<void> Decoder::begin(Block& block, EventSink& sink) {
    if (block.begun) {
        return {};
    }
    block.begun = true;
    block.part = parts_++;
    return sink.take(of(block, Kind::part_begin));
}

Result<void> Decoder::say(Block& block, Value text, EventSink& sink) {
    const std::string_view words = text.view(text_);
    if (words.empty()) {
        return {};
    }
    WEIR_TRY(begin(block, sink));
    block.has_arguments = true;
    llm::Event event = of(block, Kind::delta);
    event.text = words;
    return sink.take(event);
}

Result<void> Decoder::sign(Block& block, Value signature, EventSink& sink) {
    const std::string_view words = signature.view(text_);
    if (words.empty() || block.kind != Block::Kind::thinking) {
        return {};
    }
    WEIR_TRY(begin(block, sink));
    llm::Event event = of(block, Kind::signature);
    event.text = words;
    event.signature_of = llm::Dialect::anthropic;
    return sink.take(event);
}

Result<void> Decoder::cite(Block& block, Value citation, EventSink& sink) {
    if (!citation.is_object() || block.kind != Block::Kind::text) {
        return {};
    }
    WEIR_TRY(begin(block, sink));
    citation_ = decode_citation(citation);
    llm::Event event = of(block, Kind::citation);
    event.citation = &citation_;
    return sink.take(event);
}

Result<void> Decoder::close(Block& block, EventSink& sink) {
    const Block closed = std::move(block);
    open_.erase(open_.begin() + (&block - open_.data()));
    if (!closed.begun) {
        return {};
    }
    const bool is_call = closed.kind == Block::Kind::tool || closed.kind == Block::Kind::answer;
    if (is_call && !closed.has_arguments && !closed.input.empty()) {
        llm::Event event = of(closed, Kind::delta);
        event.text = closed.input;
        WEIR_TRY(sink.take(event));
    }
    return sink.take(of(closed, Kind::part_end));
}

Result<void> Decoder::close_all(EventSink& sink) {
    while (!open_.empty()) {
        WEIR_TRY(close(open_.front(), sink));
    }
    return {};
}

Result<void> Decoder::on_message_delta(Value root, EventSink& sink) {
    const Value said = root["delta"]["stop_reason"];
    if (said.is_string() && !finished_) {
        finished_ = true;
        WEIR_TRY(on_start({}, sink));
        WEIR_TRY(close_all(sink));
        type_ = said.string_or("");
        llm::FinishReason reason = read_stop_reason(type_);
        if (reason == llm::FinishReason::error) {
            return unusable_answer("the provider finished with an error");
        }
        const bool is_normal =
            reason == llm::FinishReason::stop || reason == llm::FinishReason::stop_sequence;
        if (is_normal && has_call_) {
            reason = llm::FinishReason::tool_calls;
        } else if (reason == llm::FinishReason::tool_calls && !has_call_ && has_answer_) {
            reason = llm::FinishReason::stop;
        }
        std::string_view words;
        if (reason == llm::FinishReason::stop_sequence) {
            words = root["delta"]["stop_sequence"].view(text_);
        } else if (reason == llm::FinishReason::other) {
            std::transform(type_.begin(), type_.end(), type_.begin(), to_lower);
            words = type_;
        }
        WEIR_TRY(sink.take({.kind = Kind::finish, .text = words, .reason = reason}));
    }
    return on_usage(root["usage"], sink);
}

}  // namespace

std::unique_ptr<StreamDecoder> decode_stream(bool may_omit_terminal) {
    return std::make_unique<Decoder>(may_omit_terminal);
}

}  // namespace weir::dialect::anthropic
