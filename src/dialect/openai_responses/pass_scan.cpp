#include "dialect/openai_responses/pass_scan.h"

#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Kind;
using json::Span;

// Of one answer: far more than there are.
constexpr std::int64_t kItemsMax = 1 << 24;

}  // namespace

Result<std::int64_t> text_index(std::int64_t output_index, std::int64_t content_index) {
    const bool fits = output_index >= 0 && output_index < kItemsMax && content_index >= 0 &&
                      content_index < kContentsMax;
    if (!fits) {
        return unusable_answer("a text with an impossible index");
    }
    return output_index * kContentsMax + content_index;
}

Result<void> PassScan::run(json::Scratch& scratch) {
    view.clear();
    const auto scanned = json::scan(text, json::Duplicates::allowed, scratch, *this);
    if (!scanned || !is_object_) {
        return unusable_answer(scanned ? "the answer is no JSON object"
                                       : scanned.error().message());
    }
    if (has_usage_) {
        usage_.searches = searches_;
        view.usage = usage_.clamped();
    }
    return {};
}

bool PassScan::says(Span word, std::string_view words) const {
    return word.size == words.size() + 2 && json::between_quotes(word.in(text)) == words;
}

int PassScan::open(int scope, std::string_view key, Kind kind) {
    const bool is_object = kind == Kind::object;
    switch (scope) {
        case json::kRoot:
            is_object_ = is_object;
            return !is_object ? json::kIgnored : is_whole() ? int{kResponse} : int{kEvent};
        case kEvent:
            if (is_object && (key == "response" || key == "item")) {
                item_type = {};
                part_index_ = 0;
                in_output_ = false;
                return key == "response" ? kResponse : kItem;
            }
            return key == "annotation" && is_object  ? int{kAnnotation}
                   : key == "error"                  ? int{kError}
                   : key == "logprobs" && !is_object ? int{kLogprobs}
                                                     : json::kIgnored;
        case kResponse:
            if (key == "output" && !is_object) {
                return kOutput;
            }
            if (key == "usage" && is_object) {
                return kUsage;
            }
            return key == "error" ? int{kError} : json::kIgnored;
        case kUsage:
            if (!is_object) {
                return json::kIgnored;
            }
            return key == "input_tokens_details"    ? int{kInputDetails}
                   : key == "output_tokens_details" ? int{kOutputDetails}
                                                    : json::kIgnored;
        case kOutput:
            in_output_ = true;
            item_type = {};
            part_index_ = 0;
            return is_object ? int{kItem} : json::kIgnored;
        case kItem:
            return key == "content" && !is_object      ? int{kContent}
                   : key == "environment" && is_object ? int{kAnnotation}
                                                       : json::kIgnored;
        case kContent:
            part_type_ = part_text_ = {};
            return is_object ? int{kPart} : json::kIgnored;
        case kPart:
            return key == "annotations" && !is_object ? int{kAnnotations} : json::kIgnored;
        case kAnnotations:
            return is_object ? int{kAnnotation} : json::kIgnored;
        default:
            return json::kIgnored;
    }
}

void PassScan::close(int scope, Span span) {
    switch (scope) {
        case kError:
            view.error = span;
            return;
        case kResponse:
            response = span;
            return;
        case kItem:
            return end_item(span);
        case kPart:
            return end_part();
        case kLogprobs:
            // An empty one is demanded of every text; only one that says something repeats it.
            logprobs = span.size > 2 ? span : Span{};
            return;
        default:
            return;
    }
}

void PassScan::end_item(Span span) {
    if (!in_output_) {
        item = span;
        return;
    }
    if (says(item_type, "web_search_call")) {
        ++searches_;
    }
    if (is_whole() && !says(item_type, "message")) {
        view.outputs.push_back({.has_other = true});
    }
    ++items;
}

void PassScan::end_part() {
    const bool is_text = says(part_type_, "output_text") && part_text_.size > 2;
    whole_texts += is_text ? 1 : 0;
    if (is_whole() && is_text) {
        // Places in a whole answer are counted here, so they cannot be impossible.
        view.outputs.push_back({.index = items * kContentsMax + part_index_, .text = part_text_});
    } else if (is_whole() && says(part_type_, "refusal")) {
        view.outputs.push_back({.has_other = true});
    }
    ++part_index_;
}

void PassScan::scalar(int scope, std::string_view key, Kind kind, Span span) {
    const bool is_string = kind == Kind::string;
    switch (scope) {
        case kEvent:
            return scalar_of_event(key, kind, span);
        case kResponse:
            if (key == "model" && is_string) {
                view.model = span;
            } else if (key == "id" && is_string) {
                view.ids.push_back(span);
            } else if (key == "status" && is_string) {
                status = span;
            } else if (key == "service_tier" && is_string) {
                usage_.tier = llm::read_service_tier(json::between_quotes(span.in(text)));
            } else if (key == "error" && kind != Kind::null) {
                view.error = span;
            }
            return;
        case kItem:
            if (key == "type" && is_string) {
                item_type = span;
            } else if (key == "id" && is_string) {
                view.ids.push_back(span);
            } else if (key == "container_id" && is_string) {
                view.file_ids.push_back(span);
            }
            return;
        case kAnnotation:
            if ((key == "file_id" || key == "container_id") && is_string) {
                view.file_ids.push_back(span);
            }
            return;
        case kPart:
            if (key == "type" && is_string) {
                part_type_ = span;
            } else if (key == "text" && is_string) {
                part_text_ = span;
            }
            return;
        case kUsage:
        case kInputDetails:
        case kOutputDetails:
            return scalar_of_usage(scope, key, kind, span);
        default:
            return;
    }
}

void PassScan::scalar_of_event(std::string_view key, Kind kind, Span span) {
    if (kind == Kind::string) {
        if (key == "type") {
            type = span;
        } else if (key == "delta") {
            delta = span;
        } else if (key == "item_id") {
            item_id = span;
        } else if (key == "text") {
            whole_text = span;
        } else if (key == "error") {
            view.error = span;
        }
    } else if (kind == Kind::number) {
        const auto number = json::read_integer(span.in(text));
        if (key == "output_index") {
            output_index = number.value_or(-1);
        } else if (key == "content_index") {
            content_index = number.value_or(-1);
        } else if (key == "sequence_number") {
            sequence = number;
        }
    }
}

void PassScan::scalar_of_usage(int scope, std::string_view key, Kind kind, Span span) {
    const auto number = kind == Kind::number ? json::read_integer(span.in(text)) : std::nullopt;
    if (!number) {
        return;
    }
    if (scope == kUsage && key == "input_tokens") {
        usage_.input_tokens = *number;
        has_usage_ = true;
    } else if (scope == kUsage && key == "output_tokens") {
        usage_.output_tokens = *number;
        has_usage_ = true;
    } else if (scope == kInputDetails && key == "cached_tokens") {
        usage_.cache_read_tokens = *number;
    } else if (scope == kInputDetails && key == "cache_write_tokens") {
        usage_.cache_write_tokens = *number;
    } else if (scope == kOutputDetails && key == "reasoning_tokens") {
        usage_.reasoning_tokens = *number;
    }
}

Result<void> read_answer(std::string_view text, json::Scratch& scratch, AnswerView& into) {
    PassScan scan(PassScan::Of::whole_answer, text, into);
    WEIR_TRY(scan.run(scratch));
    into.is_terminal = true;
    const std::string_view status = scan.status.is_set()
                                        ? json::between_quotes(scan.status.in(text))
                                        : std::string_view("completed");
    // Cut before its first word is an end, too.
    into.finished = status == "incomplete" || (status == "completed" && scan.items > 0);
    if (status == "failed" && !into.error.is_set()) {
        into.error = scan.status;
    }
    return {};
}

}  // namespace weir::dialect::openai_responses
