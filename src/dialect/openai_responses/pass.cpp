// A stream that passes as it came: where each event's text lies; and the events that Weir makes
// itself when a guardrail ends it. Those repeat all that was said, so what passed is kept.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"
#include "dialect/openai_responses/pass_scan.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Span;

// The last event repeats the whole answer, and no event is larger.
constexpr std::size_t kKeptBytesMax = sse::kEventBytesMax;

// A text of an item that is open.
struct Text {
    std::int64_t output_index = 0, content_index = 0;
    std::string item_id;       // as in JSON, without quotes
    std::string said;          // as in JSON: what went to the client
    std::size_t before = 0;    // of `said`: without what the last event said
    bool is_in_event = false;  // the last event said something of it
};

struct DoneItem {
    std::int64_t output_index;
    std::string json;
};

class Reader : public StreamReader {
public:
    explicit Reader(const AnswerTerms& terms)
        : model_(terms.model), request_id_(terms.request_id), created_(terms.created) {}

    Result<void> read(const sse::Event& event, json::Scratch& scratch, AnswerView& into) override;
    void replace_text(std::int64_t index, std::string_view text) override;
    void append_text(std::int64_t index, std::string_view text, std::string& out) override;
    void append_stop(std::int64_t index, llm::FinishReason reason, std::string& out) override;
    void append_terminal(const llm::Usage& usage, std::string& out) override;
    bool append_error(const Error& error, std::string& out) override;

private:
    Result<void> read_event(const sse::Event& event, json::Scratch& scratch, AnswerView& into);
    Result<void> on_delta(const PassScan& scan);
    Result<void> on_text_done(const PassScan& scan);
    Result<void> on_item_done(const PassScan& scan);
    Result<void> on_response(const PassScan& scan, std::string_view type);
    Result<Text*> say(const PassScan& scan, Span words);
    Result<void> keep(std::size_t bytes);
    Text* find(std::int64_t index);
    Text& take_back(std::int64_t index);
    void take_back_from(Text& text);
    void say_instead(Text& text, std::string_view words);
    void begin_event(std::string_view type, std::string& out) const;
    void end_event(std::string& out);
    void append_place(const Text& text, std::string& out) const;
    void add_done(std::int64_t output_index, std::string json);
    std::string joined_output() const;
    std::string rebuilt_response(ResponseObject end) const;

    std::string model_, request_id_;
    std::int64_t created_;
    std::string announced_;  // the response as it was announced: a JSON object
    std::vector<Text> texts_;
    std::vector<DoneItem> done_;  // in the order of the output
    std::size_t kept_bytes_ = 0;
    std::size_t texts_seen_ = 0;
    std::int64_t sequence_ = -1;  // the last event's
    bool event_says_text_ = false;
    bool event_is_error_ = false;
    llm::FinishReason stop_reason_ = llm::FinishReason::content_filter;
};

Result<void> Reader::read(const sse::Event& event, json::Scratch& scratch, AnswerView& into) {
    const auto result = read_event(event, scratch, into);
    event_is_error_ = result && into.error.is_set();
    return result;
}

Result<void> Reader::read_event(const sse::Event& event, json::Scratch& scratch, AnswerView& into) {
    for (Text& text : texts_) {
        text.is_in_event = false;
    }
    event_says_text_ = false;
    if (event.data == "[DONE]") {  // of those who send it; never the first to end a stream
        into.clear();
        return {};
    }
    PassScan scan(PassScan::Of::event, event.data, into);
    WEIR_TRY(scan.run(scratch));
    sequence_ = scan.sequence.value_or(sequence_ + 1);
    std::string_view type =
        scan.type.is_set() ? json::between_quotes(scan.type.in(event.data)) : event.name;
    constexpr std::string_view kPrefix = "response.";
    if (!type.starts_with(kPrefix)) {
        if (type == "error" && !into.error.is_set()) {
            into.error = {0, event.data.size()};
        }
        return {};
    }
    type.remove_prefix(kPrefix.size());
    if (type == "output_text.delta") {
        return on_delta(scan);
    }
    if (type == "output_text.done") {
        return on_text_done(scan);
    }
    if (type.ends_with(".delta")) {  // thoughts, arguments, refusals, code
        into.outputs.push_back({.has_other = true});
        return {};
    }
    if (type == "output_item.done") {
        return on_item_done(scan);
    }
    if (type == "output_item.added") {
        const std::string_view item_type =
            scan.item_type.is_set() ? json::between_quotes(scan.item_type.in(event.data)) : "";
        // That thinking begins, or words will follow, is not yet an answer.
        if (item_type != "message" && item_type != "reasoning") {
            into.outputs.push_back({.has_other = true});
        }
        return {};
    }
    return scan.response.is_set() ? on_response(scan, type) : Result<void>{};
}

Result<void> Reader::keep(std::size_t bytes) {
    kept_bytes_ += bytes;
    return kept_bytes_ <= kKeptBytesMax
               ? Result<void>{}
               : unusable_answer("the answer is longer than an event that repeats it may be");
}

// Takes what the event says of its text.
Result<Text*> Reader::say(const PassScan& scan, Span words) {
    WEIR_TRY(const std::int64_t index, text_index(scan.output_index, scan.content_index));
    Text* text = find(index);
    if (text == nullptr) {
        ++texts_seen_;
        texts_.push_back({.output_index = scan.output_index, .content_index = scan.content_index});
        text = &texts_.back();
        if (scan.item_id.is_set()) {
            text->item_id = json::between_quotes(scan.item_id.in(scan.text));
        }
    }
    text->before = text->said.size();
    text->is_in_event = true;
    event_says_text_ = true;
    text->said += json::between_quotes(words.in(scan.text));
    WEIR_TRY(keep(text->said.size() - text->before));
    return text;
}

Result<void> Reader::on_delta(const PassScan& scan) {
    if (!scan.delta.is_set()) {
        return {};
    }
    WEIR_TRY(say(scan, scan.delta));
    WEIR_TRY(const std::int64_t index, text_index(scan.output_index, scan.content_index));
    scan.view.outputs.push_back({.index = index, .text = scan.delta, .logprobs = scan.logprobs});
    return {};
}

// The end of a text: guardrails decide now on what they hold back.
Result<void> Reader::on_text_done(const PassScan& scan) {
    WEIR_TRY(const std::int64_t index, text_index(scan.output_index, scan.content_index));
    AnswerView::Output output{.index = index, .finish = scan.type};
    if (find(index) == nullptr && scan.whole_text.size > 2) {
        WEIR_TRY(say(scan, scan.whole_text));  // it was not said in pieces
        output.text = scan.whole_text;
        output.logprobs = scan.logprobs;
    }
    scan.view.outputs.push_back(output);
    return {};
}

Result<void> Reader::on_item_done(const PassScan& scan) {
    const bool is_message =
        scan.item_type.is_set() && json::between_quotes(scan.item_type.in(scan.text)) == "message";
    const auto is_of_item = [&](const Text& text) {
        return text.output_index == scan.output_index;
    };
    if (is_message) {
        const bool was_said = std::any_of(texts_.begin(), texts_.end(), is_of_item);
        if (scan.whole_texts > 0 && !was_said) {
            return unusable_answer("a text that was never said, only repeated");
        }
    } else {
        scan.view.outputs.push_back({.has_other = true});
    }
    if (!scan.item.is_set()) {
        return {};
    }
    std::erase_if(texts_, [&](const Text& text) {
        kept_bytes_ -= is_of_item(text) ? text.said.size() : 0;
        return is_of_item(text);
    });
    WEIR_TRY(keep(scan.item.size));
    add_done(scan.output_index, std::string(scan.item.in(scan.text)));
    return {};
}

Result<void> Reader::on_response(const PassScan& scan, std::string_view type) {
    AnswerView& view = scan.view;
    if (type == "completed" || type == "incomplete") {
        if (scan.whole_texts > 0 && texts_seen_ == 0) {
            return unusable_answer("a text that was never said, only repeated");
        }
        view.is_terminal = true;
        // Cut before its first word is an end, too.
        view.finished = type == "incomplete" || scan.items > 0;
        return {};
    }
    if (type == "failed" || type == "cancelled") {
        if (!view.error.is_set()) {
            view.error = scan.response;
        }
        return {};
    }
    if (announced_.empty()) {
        WEIR_TRY(keep(scan.response.size));
        announced_ = scan.response.in(scan.text);
    }
    return {};
}

Text* Reader::find(std::int64_t index) {
    for (Text& text : texts_) {
        if (text_index(text.output_index, text.content_index).value() == index) {
            return &text;
        }
    }
    return nullptr;
}

void Reader::replace_text(std::int64_t index, std::string_view words) {
    if (Text* const text = find(index); text != nullptr && text->is_in_event) {
        take_back_from(*text);
        say_instead(*text, words);
    }
}

void Reader::take_back_from(Text& text) {
    kept_bytes_ -= text.said.size() - text.before;
    text.said.resize(text.before);
    text.is_in_event = false;
}

void Reader::say_instead(Text& text, std::string_view words) {
    const std::size_t before = text.said.size();
    json::append_escaped(text.said, words);
    kept_bytes_ += text.said.size() - before;  // what it holds was counted when it was read
}

// An event that says the text does not pass where Weir says it instead.
Text& Reader::take_back(std::int64_t index) {
    Text* text = find(index);
    if (text == nullptr) {
        texts_.push_back(
            {.output_index = index / kContentsMax, .content_index = index % kContentsMax});
        text = &texts_.back();
    }
    if (text->item_id.empty()) {
        text->item_id =
            make_item_id("msg", request_id_, static_cast<std::size_t>(text->output_index));
    }
    if (text->is_in_event) {
        take_back_from(*text);
    }
    return *text;
}

void Reader::begin_event(std::string_view type, std::string& out) const {
    fmt::format_to(std::back_inserter(out), "event: {0}\ndata: {{\"type\":\"{0}\"", type);
}

// Takes the place of the event that was read last, where that one does not pass.
void Reader::end_event(std::string& out) {
    fmt::format_to(std::back_inserter(out), ",\"sequence_number\":{}}}\n\n", sequence_++);
}

void Reader::append_place(const Text& text, std::string& out) const {
    fmt::format_to(std::back_inserter(out),
                   R"(,"item_id":"{}","output_index":{},"content_index":{})",
                   text.item_id,
                   text.output_index,
                   text.content_index);
}

void Reader::append_text(std::int64_t index, std::string_view words, std::string& out) {
    Text& text = take_back(index);
    const std::size_t from = text.said.size();
    say_instead(text, words);
    begin_event("response.output_text.delta", out);
    append_place(text, out);
    out += ",\"delta\":\"";
    out.append(text.said, from);
    out += "\",\"logprobs\":[]";
    if (!event_says_text_) {
        // The event that was read last still passes; what was held back came before it.
        fmt::format_to(std::back_inserter(out),
                       ",\"sequence_number\":{}}}\n\n",
                       std::max<std::int64_t>(sequence_ - 1, 0));
        return;
    }
    end_event(out);
}

void Reader::append_stop(std::int64_t index, llm::FinishReason reason, std::string& out) {
    stop_reason_ = reason;
    const Text text = take_back(index);
    const TextItem words{.id = text.item_id, .status = "incomplete", .escaped = text.said};
    begin_event("response.output_text.done", out);
    append_place(text, out);
    out += ",\"logprobs\":[],\"text\":\"";
    out += text.said;
    out += '"';
    end_event(out);
    begin_event("response.content_part.done", out);
    append_place(text, out);
    out += ",\"part\":";
    append_text_part(words, out);
    end_event(out);

    // Texts of the same item that came before are part of it.
    std::string item = fmt::format(
        R"({{"id":"{}","type":"message","status":"incomplete","content":[)", text.item_id);
    bool is_first = true;
    for (const Text& one : texts_) {
        if (one.output_index == text.output_index) {
            item += is_first ? "" : ",";
            append_text_part({.escaped = one.said}, item);
            is_first = false;
        }
    }
    item += R"(],"role":"assistant"})";
    begin_event("response.output_item.done", out);
    fmt::format_to(
        std::back_inserter(out), ",\"output_index\":{},\"item\":{}", text.output_index, item);
    end_event(out);
    std::erase_if(texts_, [&](const Text& one) { return one.output_index == text.output_index; });
    add_done(text.output_index, std::move(item));
}

void Reader::add_done(std::int64_t output_index, std::string json) {
    const auto behind = std::upper_bound(
        done_.begin(), done_.end(), output_index, [](std::int64_t index, const DoneItem& item) {
            return index < item.output_index;
        });
    done_.insert(behind, {.output_index = output_index, .json = std::move(json)});
}

std::string Reader::joined_output() const {
    std::string output;
    for (const DoneItem& item : done_) {
        output += output.empty() ? "" : ",";
        output += item.json;
    }
    return output;
}

// The response as it was announced, with its end.
std::string Reader::rebuilt_response(ResponseObject end) const {
    const std::string output = joined_output();
    std::string rebuilt;
    json::Document document;
    const auto root = document.parse(announced_, json::Duplicates::allowed);
    if (!root) {
        const std::string id = make_response_id(request_id_);
        end.id = id;
        end.model = model_;
        end.created = created_;
        end.output = output;
        append_response(end, rebuilt);
        return rebuilt;
    }
    const bool has_reason = !end.incomplete_reason.empty();
    const bool has_error = !end.error_code.empty();
    json::Writer json(rebuilt);
    json.object();
    for (const json::Value member : *root) {
        const std::string_view key = member.key();
        if (key == "model" && !model_.empty()) {
            json.field("model", model_);
        } else if (key != "status" && key != "output" &&
                   !(key == "incomplete_details" && has_reason) && !(key == "error" && has_error) &&
                   !(key == "usage" && end.usage != nullptr)) {
            json.raw_field(key, member.json());
        }
    }
    json.field("status", end.status);
    if (has_reason) {
        json.key("incomplete_details").object();
        json.field("reason", end.incomplete_reason).end_object();
    }
    if (has_error) {
        json.key("error").object().field("code", end.error_code);
        json.field("message", end.error_message).end_object();
    }
    json.raw_field("output", "[" + output + "]");
    if (end.usage != nullptr) {
        std::string used;
        append_usage(*end.usage, used);
        json.raw_field("usage", used);
    }
    json.end_object();
    return rebuilt;
}

void Reader::append_terminal(const llm::Usage& usage, std::string& out) {
    begin_event("response.incomplete", out);
    out += ",\"response\":";
    out += rebuilt_response({.status = "incomplete",
                             .incomplete_reason = incomplete_reason(stop_reason_),
                             .usage = &usage});
    end_event(out);
}

bool Reader::append_error(const Error& error, std::string& out) {
    if (!event_is_error_) {
        ++sequence_;  // what was read last has passed
    }
    begin_event("error", out);
    fmt::format_to(std::back_inserter(out), R"(,"code":"{}","message":")", name(error.code()));
    json::append_escaped(out, error.message());
    out += R"(","param":null)";
    end_event(out);
    begin_event("response.failed", out);
    out += ",\"response\":";
    out += rebuilt_response({.status = "failed",
                             .error_code = response_error_code(error.code()),
                             .error_message = error.message()});
    end_event(out);
    return true;
}

}  // namespace

std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms) {
    return std::make_unique<Reader>(terms);
}

}  // namespace weir::dialect::openai_responses
