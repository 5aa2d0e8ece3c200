#include "stream_rules.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "json.h"

namespace weir::conformance {
namespace {

using Json = nlohmann::json;

struct Event {
    std::string name;
    std::string data;
    Json json;  // discarded where the data is none
};

// Blocks between empty lines; comments are left out.
std::vector<Event> events_of(std::string_view stream) {
    std::vector<Event> events;
    Event event;
    std::string text(stream);
    std::erase(text, '\r');
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        if (line.starts_with("event: ")) {
            event.name = line.substr(7);
        } else if (line.starts_with("data: ")) {
            event.data += line.substr(6);
        } else if (line.empty() && !event.data.empty()) {
            event.json = Json::parse(event.data, nullptr, false);
            events.push_back(std::move(event));
            event = {};
        }
    }
    return events;
}

// Follows one stream; the first rule that is broken stays.
class Rules {
public:
    virtual ~Rules() = default;
    std::string check(std::string_view stream, bool failed) {
        const auto events = events_of(stream);
        for (std::size_t i = 0; i < events.size() && broken_.empty(); ++i) {
            rule(!ended_, "something follows the end");
            see(events[i]);
            if (!broken_.empty()) {
                broken_ += fmt::format(" (event {}: {})", i, events[i].data);
            }
        }
        rule(failed_ == failed,
             failed ? "it failed, and does not say so" : "it tells of a failure");
        if (!failed) {
            rule(ended_, "it has no end");
        }
        return broken_;
    }

protected:
    virtual void see(const Event& event) = 0;
    bool rule(bool holds, std::string_view what) {
        if (!holds && broken_.empty()) {
            broken_ = what;
        }
        return holds;
    }
    bool ended_ = false;  // the dialect's terminal, or its error
    bool failed_ = false;

private:
    std::string broken_;
};

class ChatRules final : public Rules {
    void see(const Event& event) override {
        rule(event.name.empty(), "chat names no events");
        if (event.data == "[DONE]") {
            rule(finished_, "[DONE] before finish_reason");
            rule(has_usage_, "the usage that was asked for is missing");
            ended_ = true;
            return;
        }
        if (!rule(event.json.is_object(), "no JSON")) {
            return;
        }
        if (event.json.contains("error")) {
            failed_ = ended_ = true;
            return;
        }
        rule(event.json["object"] == "chat.completion.chunk", "object");
        rule(id_.empty() || event.json["id"] == id_, "the id changes");
        id_ = event.json["id"];
        rule(event.json["model"] == "assistant", "model");
        const Json& choices = event.json["choices"];
        const bool with_usage = event.json.contains("usage") && event.json["usage"].is_object();
        if (choices.empty()) {
            rule(finished_ && with_usage, "a chunk without choices that is not the usage");
            has_usage_ = true;
            return;
        }
        rule(!with_usage, "usage beside a choice");
        rule(!finished_, "something after finish_reason");
        const Json& delta = choices[0]["delta"];
        rule(begun_ || delta.value("role", "") == "assistant", "the first delta has no role");
        begun_ = true;
        for (const Json& call : delta.value("tool_calls", Json::array())) {
            see_call(call);
        }
        finished_ = choices[0]["finish_reason"].is_string();
    }
    void see_call(const Json& call) {
        const std::size_t index = call.value("index", std::size_t{999});
        if (index < calls_) {
            rule(!call.contains("id"), "a call begins twice");
            return;
        }
        rule(index == calls_, "the indexes of calls skip");
        rule(call.contains("id") && call.value("type", "") == "function" &&
                 call["function"].contains("name") && call["function"].contains("arguments"),
             "a call begins without id, type, name and arguments");
        ++calls_;
    }
    std::string id_;
    bool begun_ = false, finished_ = false, has_usage_ = false;
    std::size_t calls_ = 0;
};

class ResponsesRules final : public Rules {
    void see(const Event& event) override {
        if (!rule(event.json.is_object(), "no JSON")) {
            return;
        }
        const Json& json = event.json;
        const std::string type = json.value("type", "");
        rule(type == event.name, "the event's name is not its type");
        rule(json.value("sequence_number", -1) == next_, "sequence_number");
        ++next_;
        if (next_ == 1) {
            rule(type == "response.created", "response.created does not come first");
        } else if (next_ == 2) {
            rule(type == "response.in_progress", "response.in_progress does not come second");
        }
        if (type == "error") {
            saw_error_ = true;
        } else if (type == "response.failed") {
            rule(saw_error_, "response.failed without an error event");
            rule(json["response"]["error"].contains("code"), "response.failed says no code");
            failed_ = ended_ = true;
        } else if (type == "response.completed" || type == "response.incomplete") {
            rule(item_.empty(), "the end while an item is open");
            rule(json["response"]["output"] == Json(done_), "the end does not repeat the output");
            rule(json["response"]["usage"].is_object(), "the end has no usage");
            ended_ = true;
        } else if (type == "response.output_item.added") {
            begin_item(json);
        } else if (type == "response.output_item.done") {
            rule(part_.empty(), "an item ends while a part is open");
            rule(json["item"]["id"] == item_, "another item ends");
            done_.push_back(json["item"]);
            item_.clear();
        } else if (next_ > 2) {
            see_inside(type, json);
        }
    }
    void begin_item(const Json& json) {
        rule(item_.empty(), "items overlap");
        rule(json["output_index"] == done_.size(), "output_index");
        const Json& item = json["item"];
        const std::string type = item["type"];
        item_ = item["id"];
        parts_ = 0;
        text_.clear();
        if (type == "message") {
            rule(item["content"] == Json::array(), "an added message is not empty");
        } else if (type == "reasoning") {
            rule(item["summary"] == Json::array(), "an added thought is not empty");
        } else {
            rule(item["arguments"] == "", "an added call has arguments");
        }
    }
    void see_inside(const std::string& type, const Json& json) {
        rule(!item_.empty() && json.value("item_id", "") == item_, "a piece of no open item");
        rule(json.value("output_index", std::size_t{999}) == done_.size(), "output_index");
        const std::size_t index =
            json.value("content_index", json.value("summary_index", std::size_t{0}));
        const bool is_call = type.starts_with("response.function_call_arguments.");
        if (type.ends_with("_part.added")) {
            rule(part_.empty(), "parts overlap");
            rule(index == parts_, "the indexes of parts skip");
            part_ = type;
            text_.clear();
        } else if (type.ends_with("_part.done")) {
            rule(!part_.empty() && index == parts_, "another part ends");
            const Json& part = json["part"];
            rule(part.value("text", part.value("refusal", "")) == text_,
                 "a part is not its pieces");
            part_.clear();
            ++parts_;
        } else if (type.ends_with(".delta")) {
            rule(is_call || !part_.empty(), "a piece of no open part");
            rule(type != "response.output_text.delta" || json["logprobs"].is_array(), "logprobs");
            text_ += json.value("delta", "");
        } else if (type.ends_with(".done")) {
            const std::string whole =
                json.value(is_call ? "arguments" : "text", json.value("refusal", ""));
            rule(whole == text_, "the end of a text is not its pieces");
        }
    }
    int next_ = 0;
    bool saw_error_ = false;
    std::string item_, part_, text_;
    std::size_t parts_ = 0;
    std::vector<Json> done_;
};

class MessagesRules final : public Rules {
    void see(const Event& event) override {
        if (!rule(event.json.is_object(), "no JSON")) {
            return;
        }
        const Json& json = event.json;
        const std::string type = json.value("type", "");
        rule(type == event.name, "the event's name is not its type");
        if (type == "ping") {
            return;
        }
        if (type == "error") {
            failed_ = ended_ = true;
            return;
        }
        rule(begun_ == (type != "message_start"), "message_start comes first, and once");
        if (type == "message_start") {
            begun_ = true;
            rule(json["message"]["content"] == Json::array(), "message_start has content");
            rule(json["message"]["model"] == "assistant", "model");
        } else if (type == "content_block_start") {
            rule(!open_ && !finished_, "blocks overlap");
            rule(json["index"] == blocks_, "the indexes of blocks skip");
            open_ = true;
            kind_ = json["content_block"]["type"];
            text_ = json["content_block"].value("data", "");
        } else if (type == "content_block_delta") {
            rule(open_ && json["index"] == blocks_, "a piece of no open block");
            const Json& delta = json["delta"];
            for (const char* key : {"text", "thinking", "partial_json", "signature"}) {
                text_ += delta.value(key, "");
            }
        } else if (type == "content_block_stop") {
            rule(open_ && json["index"] == blocks_, "another block ends");
            rule(kind_ == "tool_use" || !text_.empty(), "an empty block");
            open_ = false;
            ++blocks_;
        } else if (type == "message_delta") {
            rule(!open_ && !finished_, "message_delta before the last block ended");
            rule(json["delta"]["stop_reason"].is_string(), "no stop_reason");
            rule(json["usage"]["output_tokens"].is_number(), "no usage");
            finished_ = true;
        } else if (type == "message_stop") {
            rule(finished_, "message_stop before message_delta");
            ended_ = true;
        } else {
            rule(false, "no such event");
        }
    }
    bool begun_ = false, open_ = false, finished_ = false;
    std::size_t blocks_ = 0;
    std::string kind_, text_;
};

class GenerateRules final : public Rules {
    void see(const Event& event) override {
        rule(event.name.empty(), "Gemini names no events");
        if (!rule(event.json.is_object(), "no JSON")) {
            return;
        }
        if (event.json.contains("error")) {
            failed_ = ended_ = true;
            return;
        }
        rule(event.json["modelVersion"] == "assistant", "model");
        if (event.json.contains("promptFeedback")) {
            ended_ = true;
            return;
        }
        if (!rule(event.json.contains("candidates"), "no candidates")) {
            return;
        }
        const Json& candidate = event.json["candidates"][0];
        const Json content = candidate.value("content", Json::object());
        for (const Json& part : content.value("parts", Json::array())) {
            // Google's own last chunk may hold an empty text.
            const bool is_empty = part.contains("text") && part["text"] == "";
            rule(!is_empty || part.contains("thoughtSignature") ||
                     candidate.contains("finishReason"),
                 "an empty text");
            rule(!part.contains("functionCall") || part["functionCall"].contains("name"), "a call");
        }
        if (candidate.contains("finishReason")) {
            rule(event.json.contains("usageMetadata"), "the end has no usage");
            ended_ = true;
        }
    }
};

}  // namespace

std::string broken_rule(std::string_view stream, llm::Dialect dialect, bool failed) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return ChatRules{}.check(stream, failed);
        case llm::Dialect::openai_responses:
            return ResponsesRules{}.check(stream, failed);
        case llm::Dialect::anthropic:
            return MessagesRules{}.check(stream, failed);
        case llm::Dialect::gemini:
            return GenerateRules{}.check(stream, failed);
        case llm::Dialect::bedrock:
            break;
    }
    return "no client speaks it";
}

}  // namespace weir::conformance
