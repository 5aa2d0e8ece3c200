// Gemini on both sides: where texts, usage and the model's name lie in an answer that passes as it
// came; and the chunks that Weir makes itself when a guardrail ends a stream.
#include <fmt/format.h>

#include "dialect/failure.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/finish.h"
#include "dialect/gemini/usage.h"
#include "dialect/json/value.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {
namespace {

using json::Kind;
using json::Span;

// What chunks that Weir makes repeat of those it saw: JSON values.
struct Identity {
    std::string model = "\"\"";
    std::string id = "\"\"";
};

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kCandidates,
        kCandidate,
        kContent,
        kParts,
        kPart,
        kFile,
        kGrounding,
        kQueries,
        kUsage,
        kDetails,
        kDetail,
        kFeedback,
        kLogprobs,
        kError,
    };

    std::string_view text;
    AnswerView& answer;
    Identity& identity;
    bool is_object = false;
    UsageCounts counts;
    std::int64_t searches = 0;
    // Of the candidate that is open.
    std::size_t first_output = 0;
    std::int64_t index = 0;
    Span finish, grounding, logprobs;
    bool has_other = false;
    // Of the part that is open.
    Span part_text;
    bool is_thought = false;
    bool has_more = false;
    // Of the list of details that is open.
    std::string_view details;
    Span modality;
    std::int64_t count = 0;

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                is_object = object;
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                return open_body(key, object);
            case kCandidates:
                first_output = answer.outputs.size();
                index = 0;
                finish = grounding = logprobs = {};
                has_other = false;
                return object ? int{kCandidate} : json::kIgnored;
            case kCandidate:
                return object ? open_candidate(key) : json::kIgnored;
            case kContent:
                return key == "parts" && !object ? int{kParts} : json::kIgnored;
            case kParts:
                part_text = {};
                is_thought = has_more = false;
                return object ? int{kPart} : json::kIgnored;
            case kPart:
                has_more = true;
                return object && key == "fileData" ? int{kFile} : json::kIgnored;
            case kGrounding:
                return key == "webSearchQueries" ? int{kQueries} : json::kIgnored;
            case kUsage:
                details = known_list(key);
                return details.empty() ? json::kIgnored : int{kDetails};
            case kDetails:
                modality = {};
                count = 0;
                return object ? int{kDetail} : json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    int open_body(std::string_view key, bool object) {
        if (key == "candidates" && !object) {
            return kCandidates;
        }
        if (key == "usageMetadata" && object) {
            return kUsage;
        }
        if (key == "promptFeedback" && object) {
            return kFeedback;
        }
        return key == "error" ? int{kError} : json::kIgnored;  // only to learn its span
    }

    int open_candidate(std::string_view key) const {
        if (key == "content") {
            return kContent;
        }
        if (key == "groundingMetadata") {
            return kGrounding;
        }
        return key == "logprobsResult" ? int{kLogprobs} : json::kIgnored;
    }

    // A key's view dies with the next key.
    static std::string_view known_list(std::string_view key) {
        for (const std::string_view list : {std::string_view("promptTokensDetails"),
                                            std::string_view("candidatesTokensDetails"),
                                            std::string_view("cacheTokensDetails"),
                                            std::string_view("toolUsePromptTokensDetails")}) {
            if (list == key) {
                return list;
            }
        }
        return {};
    }

    void close(int scope, Span span) {
        if (scope == kPart) {
            close_part();
        } else if (scope == kCandidate) {
            close_candidate();
        } else if (scope == kGrounding) {
            grounding = span;
        } else if (scope == kLogprobs) {
            logprobs = span;
        } else if (scope == kError) {
            answer.error = span;
        } else if (scope == kDetail && modality.is_set()) {
            counts.set_detail(details, json::between_quotes(modality.in(text)), count);
        }
    }

    void close_part() {
        has_other = has_other || has_more || (is_thought && part_text.size > 2);
        if (part_text.is_set() && !is_thought) {
            answer.outputs.push_back({.index = 0, .text = part_text});
        }
    }

    void close_candidate() {
        auto& outputs = answer.outputs;
        if (outputs.size() == first_output) {
            outputs.emplace_back();
        }
        outputs.back().finish = finish;
        outputs.back().has_other = has_other;
        outputs.back().logprobs = logprobs.is_set() ? logprobs : grounding;
        if (logprobs.is_set() && grounding.is_set()) {
            // Both repeat the text, and both must go where it is cut.
            outputs.push_back({.index = 0, .logprobs = grounding});
        }
        for (std::size_t i = first_output; i < outputs.size(); ++i) {
            outputs[i].index = index;
        }
        answer.finished = answer.finished || finish.is_set();
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const bool is_string = kind == Kind::string;
        switch (scope) {
            case kBody:
                scalar_body(key, kind, span);
                return;
            case kCandidate:
                if (key == "index" && kind == Kind::number) {
                    index = json::read_integer(span.in(text)).value_or(0);
                } else if (key == "finishReason" && is_string && reason(span) != none) {
                    finish = span;
                }
                return;
            case kPart:
                if (key == "text" && is_string) {
                    part_text = span;
                } else if (key == "thought") {
                    is_thought = kind == Kind::true_;
                }
                return;
            case kFile:
                if (key == "fileUri" && is_string) {
                    answer.file_ids.push_back(span);
                }
                return;
            case kQueries:
                ++searches;
                return;
            case kUsage:
                if (kind == Kind::number) {
                    counts.set(key, json::read_integer(span.in(text)).value_or(0));
                } else if (is_string && key == "serviceTier") {
                    counts.tier = llm::read_service_tier(json::between_quotes(span.in(text)));
                }
                return;
            case kDetail:
                if (key == "modality" && is_string) {
                    modality = span;
                } else if (key == "tokenCount" && kind == Kind::number) {
                    count = json::read_integer(span.in(text)).value_or(0);
                }
                return;
            case kFeedback:
                if (key == "blockReason" && is_string) {
                    // The prompt was refused: an answer, though it says nothing.
                    answer.finished = true;
                    answer.outputs.push_back({.index = 0, .has_other = true});
                }
                return;
            default:
                return;
        }
    }

    void scalar_body(std::string_view key, Kind kind, Span span) {
        if (key == "modelVersion" && kind == Kind::string) {
            answer.model = span;
            identity.model = span.in(text);
        } else if (key == "responseId" && kind == Kind::string) {
            identity.id = span.in(text);
        } else if (key == "error" && kind != Kind::null) {
            answer.error = span;
        }
    }

    static constexpr auto none = llm::FinishReason::none;
    llm::FinishReason reason(Span span) const {
        return finish_reason_of(json::between_quotes(span.in(text)));
    }
};

Result<void> read(std::string_view text,
                  json::Scratch& scratch,
                  AnswerView& into,
                  Identity& identity) {
    into.clear();
    Reader reader{.text = text, .answer = into, .identity = identity};
    const auto scanned = json::scan(text, json::Duplicates::allowed, scratch, reader);
    if (!scanned || !reader.is_object) {
        return unusable_answer(scanned ? "the answer is no JSON object"
                                       : scanned.error().message());
    }
    into.usage = reader.counts.normal();
    if (into.usage) {
        into.usage->searches = reader.searches;
    }
    return {};
}

class GeminiReader : public StreamReader {
public:
    explicit GeminiReader(const AnswerTerms& terms) {
        if (!terms.model.empty()) {
            public_model_ = '"';
            json::append_escaped(public_model_, terms.model);
            public_model_ += '"';
        }
    }

    Result<void> read(const sse::Event& event, json::Scratch& scratch, AnswerView& into) override {
        return gemini::read(event.data, scratch, into, identity_);
    }

    void append_text(std::int64_t index, std::string_view text, std::string& out) override {
        append_candidate(index, text, {}, out);
    }

    void append_stop(std::int64_t index, llm::FinishReason reason, std::string& out) override {
        append_candidate(index, {}, finish_word(reason), out);
    }

    void append_terminal(const llm::Usage& usage, std::string& out) override {
        out += "data: ";
        json::Writer json(out);
        json.object().key("usageMetadata");
        encode_usage(usage, json);
        end_chunk(json, out);
    }

    bool ends_with_body() const override { return true; }
    std::string_view finish_word(llm::FinishReason reason) const override {
        return word_of(reason);
    }

private:
    void append_candidate(std::int64_t index,
                          std::string_view text,
                          std::string_view finish,
                          std::string& out) const {
        out += "data: ";
        json::Writer json(out);
        json.object().key("candidates").array().object();
        json.key("content").object().key("parts").array();
        json.object().field("text", text).end_object().end_array();
        json.field("role", "model").end_object();
        json.field_unless_empty("finishReason", finish).field("index", index);
        json.end_object().end_array();
        end_chunk(json, out);
    }
    void end_chunk(json::Writer& json, std::string& out) const {
        json.raw_field("modelVersion", public_model_.empty() ? identity_.model : public_model_);
        json.raw_field("responseId", identity_.id).end_object();
        out += "\r\n\r\n";
    }

    std::string public_model_;  // quoted; empty: what the provider says
    Identity identity_;
};

}  // namespace

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into) {
    Identity identity;
    return read(text, scratch, into, identity);
}

std::unique_ptr<StreamReader> read_stream(const AnswerTerms& terms) {
    return std::make_unique<GeminiReader>(terms);
}

}  // namespace weir::dialect::gemini
