// A stream of ConverseStream as events: binary frames, each with one JSON object. Text and thinking
// begin with their first delta, calls and images with a start of their own; blocks are told apart
// by their index.
#include <algorithm>

#include "base/base64.h"
#include "dialect/answer_tool.h"
#include "dialect/aws/event_stream.h"
#include "dialect/bedrock/codec.h"
#include "dialect/failure.h"

namespace weir::dialect::bedrock {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

// Models open one block after the other; this many at once has gone wrong.
constexpr std::size_t kOpenBlocksMax = 64;
// Of one thought: kilobytes are usual.
constexpr std::size_t kSignatureBytesMax = 4u << 20;

struct Block {
    std::int64_t index = 0;
    std::uint32_t part = 0;
    PartKind kind = PartKind::text;
    bool redacted = false;
    // Of the provider's own tools: nobody's to see.
    bool skipped = false;
    bool is_answer = false;  // a text in the form of a call
    bool has_input = false;  // of a call
    // Comes in pieces and is told whole: a signature's text, or the bytes of what is sealed.
    std::string sealed;
    // Bytes of an image that are no whole group of base64 yet.
    std::string remainder;
};

class Decoder : public StreamDecoder {
public:
    Result<void> feed(std::string_view bytes, EventSink& sink) override {
        if (ended_) {
            return {};
        }
        frames_.feed(bytes);
        aws::Frame frame;
        while (!ended_) {
            WEIR_TRY(const bool found, frames_.next(frame));
            if (!found) {
                break;
            }
            WEIR_TRY(on_frame(frame, sink));
        }
        return {};
    }

    Result<void> end(EventSink& sink) override {
        if (ended_) {
            return {};
        }
        // The metadata that follows the stop may be missing: the answer is whole, and only its
        // usage has to be estimated.
        if (finished_ && !frames_.has_partial()) {
            ended_ = true;
            return sink.take({.kind = Kind::end});
        }
        return unusable_answer("the stream ended without its messageStop");
    }

private:
    Result<void> on_frame(const aws::Frame& frame, EventSink& sink);
    Result<void> on_event(std::string_view type, Value event, EventSink& sink);
    Result<void> on_block_start(Value event, EventSink& sink);
    Result<void> on_block_delta(Value event, EventSink& sink);
    Result<void> on_block_stop(Value event, EventSink& sink);
    Result<void> on_text(std::int64_t index, PartKind kind, Value text, EventSink& sink);
    Result<void> on_reasoning(std::int64_t index, Value delta, EventSink& sink);
    Result<void> on_input(std::int64_t index, Value delta, EventSink& sink);
    Result<void> on_citation(std::int64_t index, Value citation, EventSink& sink);
    Result<void> on_image(std::int64_t index, Value delta, EventSink& sink);
    Result<void> on_stop(Value event, EventSink& sink);
    Result<void> on_metadata(Value event, EventSink& sink);
    Block* find(std::int64_t index);
    Result<Block*> open(Block block, const llm::Event& begin, EventSink& sink);
    Result<Block*> open_text(std::int64_t index, PartKind kind, bool redacted, EventSink& sink);
    Result<void> close(Block& block, EventSink& sink);
    Result<void> append_sealed(Block& block, std::string_view piece);

    aws::FrameDecoder frames_;
    json::Document document_;
    bool started_ = false;
    bool finished_ = false;
    bool has_metadata_ = false;
    bool ended_ = false;
    Calls calls_ = Calls::none;
    std::uint32_t parts_ = 0;  // begun
    std::vector<Block> open_;
    std::string text_, name_;  // unescaped, where that takes a copy
};

Result<void> Decoder::on_frame(const aws::Frame& frame, EventSink& sink) {
    const std::string_view type = frame.text(":message-type");
    if (type == "error") {
        return std::unexpected(error_of({.type = frame.text(":error-code"),
                                         .message = std::string(frame.text(":error-message"))}));
    }
    if (type == "exception") {
        return std::unexpected(
            decode_error({.body = frame.payload, .error_type = frame.text(":exception-type")}));
    }
    if (type != "event") {
        return unusable_answer("a frame is neither event nor exception");
    }
    const auto event = document_.parse(frame.payload, json::Duplicates::allowed);
    if (!event) {
        return unusable_answer(event.error().message());
    }
    return on_event(frame.text(":event-type"), *event, sink);
}

Result<void> Decoder::on_event(std::string_view type, Value event, EventSink& sink) {
    if (!started_) {
        started_ = true;
        WEIR_TRY(sink.take({.kind = Kind::start}));
    }
    if (type == "metadata") {
        return on_metadata(event, sink);
    }
    if (finished_) {
        return {};  // what comes after the stop belongs to nothing
    }
    if (type == "contentBlockDelta") {
        return on_block_delta(event, sink);
    }
    if (type == "contentBlockStart") {
        return on_block_start(event, sink);
    }
    if (type == "contentBlockStop") {
        return on_block_stop(event, sink);
    }
    return type == "messageStop" ? on_stop(event, sink) : Result<void>{};
}

Block* Decoder::find(std::int64_t index) {
    const auto found = std::find_if(
        open_.begin(), open_.end(), [index](const Block& one) { return one.index == index; });
    return found == open_.end() ? nullptr : &*found;
}

// An index that is still open ends here: its stop was left out.
Result<Block*> Decoder::open(Block block, const llm::Event& begin, EventSink& sink) {
    if (Block* const before = find(block.index)) {
        WEIR_TRY(close(*before, sink));
    }
    if (open_.size() == kOpenBlocksMax) {
        return unusable_answer("more content blocks are open than there can be");
    }
    if (!block.skipped) {
        llm::Event event = begin;
        event.kind = Kind::part_begin;
        event.part = block.part = parts_++;
        event.part_kind = block.kind;
        event.redacted = block.redacted;
        WEIR_TRY(sink.take(event));
    }
    return &open_.emplace_back(std::move(block));
}

Result<Block*> Decoder::open_text(std::int64_t index,
                                  PartKind kind,
                                  bool redacted,
                                  EventSink& sink) {
    Block* const known = find(index);
    if (known != nullptr &&
        (known->skipped || (known->kind == kind && known->redacted == redacted))) {
        return known;
    }
    return open({.index = index, .kind = kind, .redacted = redacted}, {}, sink);
}

Result<void> Decoder::close(Block& block, EventSink& sink) {
    Block ended = std::move(block);
    open_.erase(open_.begin() + (&block - open_.data()));
    if (ended.skipped) {
        return {};
    }
    if (ended.is_answer && !ended.has_input) {
        WEIR_TRY(sink.take(
            {.kind = Kind::delta, .part = ended.part, .part_kind = ended.kind, .text = "{}"}));
    }
    if (!ended.remainder.empty()) {
        WEIR_TRY(sink.take({.kind = Kind::delta,
                            .part = ended.part,
                            .part_kind = ended.kind,
                            .text = to_base64(ended.remainder, Base64::standard)}));
    }
    if (!ended.sealed.empty()) {
        if (ended.redacted) {
            ended.sealed = to_base64(ended.sealed, Base64::standard);
        }
        WEIR_TRY(sink.take({.kind = Kind::signature,
                            .part = ended.part,
                            .part_kind = ended.kind,
                            .text = ended.sealed,
                            .signature_of = llm::Dialect::bedrock}));
    }
    return sink.take({.kind = Kind::part_end, .part = ended.part, .part_kind = ended.kind});
}

Result<void> Decoder::on_block_start(Value event, EventSink& sink) {
    const std::int64_t index = event["contentBlockIndex"].integer().value_or(0);
    const Value start = event["start"];
    if (const Value call = start["toolUse"]; call.is_object()) {
        if (is_server_tool(call)) {
            WEIR_TRY(open({.index = index, .skipped = true}, {}, sink));
            return {};
        }
        if (call["name"].equals(kAnswerTool)) {
            calls_ = std::max(calls_, Calls::answer);
            WEIR_TRY(open({.index = index, .is_answer = true}, {}, sink));
            return {};
        }
        calls_ = Calls::real;
        WEIR_TRY(open({.index = index, .kind = PartKind::tool_call},
                      {.id = call["toolUseId"].view(text_), .name = call["name"].view(name_)},
                      sink));
    } else if (const Value image = start["image"]; image.is_object()) {
        const std::string mime = "image/" + image["format"].string_or("png");
        WEIR_TRY(open({.index = index, .kind = PartKind::media}, {.mime = mime}, sink));
    } else if (start.size() > 0) {
        WEIR_TRY(open({.index = index, .skipped = true}, {}, sink));
    }
    return {};  // an empty start says nothing: the first delta will
}

Result<void> Decoder::on_block_delta(Value event, EventSink& sink) {
    const std::int64_t index = event["contentBlockIndex"].integer().value_or(0);
    for (const Value delta : event["delta"]) {
        const std::string_view kind = delta.key();
        if (kind == "text") {
            return on_text(index, PartKind::text, delta, sink);
        }
        if (kind == "reasoningContent") {
            return on_reasoning(index, delta, sink);
        }
        if (kind == "toolUse") {
            return on_input(index, delta["input"], sink);
        }
        if (kind == "citation") {
            return on_citation(index, delta, sink);
        }
        if (kind == "image") {
            return on_image(index, delta["source"]["bytes"], sink);
        }
    }
    return {};
}

Result<void> Decoder::on_text(std::int64_t index, PartKind kind, Value text, EventSink& sink) {
    const std::string_view words = text.view(text_);
    if (words.empty()) {
        return {};
    }
    WEIR_TRY(const Block* const block, open_text(index, kind, false, sink));
    if (block->skipped) {
        return {};
    }
    return sink.take(
        {.kind = Kind::delta, .part = block->part, .part_kind = block->kind, .text = words});
}

Result<void> Decoder::on_reasoning(std::int64_t index, Value delta, EventSink& sink) {
    if (const Value text = delta["text"]; text.is_string()) {
        return on_text(index, PartKind::reasoning, text, sink);
    }
    if (const Value signature = delta["signature"]; signature.is_string()) {
        WEIR_TRY(Block* const block, open_text(index, PartKind::reasoning, false, sink));
        return append_sealed(*block, signature.view(text_));
    }
    const Value sealed = delta["redactedContent"];
    if (!sealed.is_string()) {
        return {};
    }
    const auto bytes = from_base64(sealed.view(text_), Base64::standard);
    if (!bytes) {
        return unusable_answer("redacted reasoning is no base64");
    }
    WEIR_TRY(Block* const block, open_text(index, PartKind::reasoning, true, sink));
    return append_sealed(*block, *bytes);
}

Result<void> Decoder::append_sealed(Block& block, std::string_view piece) {
    if (block.sealed.size() + piece.size() > kSignatureBytesMax) {
        return unusable_answer("a signature is larger than it can be");
    }
    block.sealed += piece;
    return {};
}

Result<void> Decoder::on_input(std::int64_t index, Value delta, EventSink& sink) {
    Block* const block = find(index);
    if (block == nullptr ||
        (block->kind != PartKind::tool_call && !block->skipped && !block->is_answer)) {
        return unusable_answer("the input of a tool call came without its start");
    }
    const std::string_view input = delta.view(text_);
    if (block->skipped || input.empty()) {
        return {};
    }
    block->has_input = true;
    return sink.take(
        {.kind = Kind::delta, .part = block->part, .part_kind = block->kind, .text = input});
}

Result<void> Decoder::on_citation(std::int64_t index, Value citation, EventSink& sink) {
    WEIR_TRY(const Block* const block, open_text(index, PartKind::text, false, sink));
    if (block->skipped) {
        return {};
    }
    const llm::Citation decoded = decode_citation(citation);
    return sink.take({.kind = Kind::citation,
                      .part = block->part,
                      .part_kind = block->kind,
                      .citation = &decoded});
}

// Each piece is base64 of its own; what is passed on must be base64 as a whole, so it goes out in
// groups of three bytes.
Result<void> Decoder::on_image(std::int64_t index, Value delta, EventSink& sink) {
    constexpr std::size_t kGroup = 3;
    Block* const block = find(index);
    if (block == nullptr || block->skipped || block->kind != PartKind::media) {
        return {};
    }
    const auto bytes = from_base64(delta.view(text_), Base64::standard);
    if (!bytes) {
        return unusable_answer("an image is no base64");
    }
    block->remainder += *bytes;
    const std::size_t whole = block->remainder.size() / kGroup * kGroup;
    if (whole == 0) {
        return {};
    }
    text_ = to_base64(std::string_view(block->remainder).substr(0, whole), Base64::standard);
    block->remainder.erase(0, whole);
    return sink.take(
        {.kind = Kind::delta, .part = block->part, .part_kind = block->kind, .text = text_});
}

Result<void> Decoder::on_block_stop(Value event, EventSink& sink) {
    Block* const block = find(event["contentBlockIndex"].integer().value_or(0));
    return block == nullptr ? Result<void>{} : close(*block, sink);
}

Result<void> Decoder::on_stop(Value event, EventSink& sink) {
    while (!open_.empty()) {
        WEIR_TRY(close(open_.front(), sink));
    }
    WEIR_TRY(const Stop stop, decode_stop(event, calls_));
    finished_ = true;
    WEIR_TRY(sink.take({.kind = Kind::finish, .text = stop.text, .reason = stop.reason}));
    if (!has_metadata_) {
        return {};
    }
    ended_ = true;
    return sink.take({.kind = Kind::end});
}

Result<void> Decoder::on_metadata(Value event, EventSink& sink) {
    has_metadata_ = true;
    if (auto usage = decode_usage(event["usage"])) {
        usage->tier = llm::read_service_tier(event["serviceTier"]["type"].string_or(""));
        WEIR_TRY(sink.take({.kind = Kind::usage, .usage = &*usage}));
    }
    if (!finished_) {
        return {};
    }
    ended_ = true;
    return sink.take({.kind = Kind::end});
}

}  // namespace

std::unique_ptr<StreamDecoder> decode_stream(bool) { return std::make_unique<Decoder>(); }

}  // namespace weir::dialect::bedrock
