#include "dialect/passing/answer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dialect/failure.h"
#include "dialect/json/value.h"

namespace weir::dialect::passing {
namespace {

using json::Kind;
using json::Span;
using llm::Operation;
using llm::Surface;

// Longer recordings are a provider's mistake, and no sum may overflow.
constexpr double kAudioSecondsMax = 1e9;

std::optional<std::int64_t> milliseconds(std::string_view seconds) {
    double value = 0;
    const auto read = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
    if (read.ec != std::errc{} || read.ptr != seconds.data() + seconds.size() || !(value >= 0) ||
        value > kAudioSecondsMax) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(std::ceil(value * 1000));
}

struct Reader {
    enum Scope : int {
        kBody = json::kRoot + 1,
        kUsage,
        kInputDetails,
        kOutputDetails,
        kMeta,  // Cohere
        kBilled,
        kMetaTokens,
        kData,
        kError,
    };

    std::string_view text;
    Answer& answer;
    bool is_object = false;
    bool has_image = false;  // at the top: an event of a stream
    std::string_view type;   // of an event, with quotes
    std::int64_t images = 0;
    std::optional<std::int64_t> input, output, total, cached, input_audio;
    std::optional<std::int64_t> output_image, output_audio, output_text, reasoning;
    std::optional<std::int64_t> heard, duration, searches;

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                is_object = object;
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                if (key == "usage" && object) {
                    return kUsage;
                }
                if (key == "meta" && object) {
                    return kMeta;
                }
                if (key == "data" && !object) {
                    return kData;
                }
                return key == "error" ? int{kError} : json::kIgnored;
            case kUsage:
                if (key.ends_with("details") && object) {
                    return key.starts_with("input") || key.starts_with("prompt")
                               ? int{kInputDetails}
                               : int{kOutputDetails};
                }
                return json::kIgnored;
            case kMeta:
                return key == "billed_units" ? int{kBilled}
                       : key == "tokens"     ? int{kMetaTokens}
                                             : json::kIgnored;
            case kData:
                ++images;
                return json::kIgnored;
            default:
                return json::kIgnored;
        }
    }

    void close(int scope, Span span) const {
        if (scope == kError) {
            answer.error = span;
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        const std::string_view value = span.in(text);
        if (scope == kBody && kind == Kind::string) {
            if (key == "model") {
                answer.model = span;
            } else if (key == "type") {
                type = value;
            } else if (key == "b64_json") {
                has_image = true;
            } else if (key == "error") {
                answer.error = span;
            }
        }
        if (kind == Kind::number) {
            number(scope, key, value);
        }
    }

    void number(int scope, std::string_view key, std::string_view value) {
        const auto count = json::read_integer(value);
        switch (scope) {
            case kBody:
                if (key == "duration") {
                    duration = milliseconds(value);
                }
                return;
            case kUsage:
                if (key == "input_tokens" || key == "prompt_tokens") {
                    input = count;
                } else if (key == "output_tokens" || key == "completion_tokens") {
                    output = count;
                } else if (key == "total_tokens") {
                    total = count;
                } else if (key == "seconds" || key == "prompt_audio_seconds") {
                    heard = milliseconds(value);
                } else if (key == "search_units") {
                    searches = count;
                }
                return;
            case kInputDetails:
                if (key == "cached_tokens") {
                    cached = count;
                } else if (key == "audio_tokens") {
                    input_audio = count;
                }
                return;
            case kOutputDetails:
                if (key == "image_tokens") {
                    output_image = count;
                } else if (key == "audio_tokens") {
                    output_audio = count;
                } else if (key == "reasoning_tokens") {
                    reasoning = count;
                } else if (key == "text_tokens") {
                    output_text = count;
                }
                return;
            case kBilled:
                if (key == "search_units") {
                    searches = count;
                }
                return;
            case kMetaTokens:
                if (key == "input_tokens") {
                    input = count;
                } else if (key == "output_tokens") {
                    output = count;
                }
                return;
            default:
                return;
        }
    }

    bool has_tokens() const { return input || output || total; }

    llm::Usage tokens() const {
        llm::Usage usage{.input_tokens = input.value_or(0)};
        usage.output_tokens =
            output.value_or(std::max<std::int64_t>(total.value_or(0) - usage.input_tokens, 0));
        if (!input && !output) {  // Jina: only the sum, and nothing was said
            usage.input_tokens = total.value_or(0);
            usage.output_tokens = 0;
        }
        usage.cache_read_tokens = cached.value_or(0);
        usage.input_audio_tokens = input_audio.value_or(0);
        usage.output_image_tokens = output_image.value_or(0);
        usage.output_audio_tokens = output_audio.value_or(0);
        usage.reasoning_tokens = reasoning.value_or(0);
        return usage;
    }

    std::optional<llm::Usage> usage_of(Surface surface, Operation operation) const {
        llm::Usage usage = tokens();
        switch (surface) {
            case Surface::images:
                usage.images = images;
                if (!output_image && !output_text) {
                    usage.output_image_tokens = usage.output_tokens;
                }
                return has_tokens() || images > 0 ? std::optional(usage.clamped()) : std::nullopt;
            case Surface::audio:
                if (operation == Operation::speech && !output_audio) {
                    usage.output_audio_tokens = usage.output_tokens;
                }
                usage.audio_milliseconds = heard ? *heard : duration.value_or(0);
                return has_tokens() || heard || duration ? std::optional(usage.clamped())
                                                         : std::nullopt;
            case Surface::rerank:
                usage.searches = searches.value_or(1);
                return usage.clamped();
            default:
                return usage.clamped();
        }
    }
};

}  // namespace

Result<Answer> read_answer(Surface surface,
                           Operation operation,
                           std::string_view text,
                           json::Scratch& scratch) {
    Answer answer;
    Reader reader{.text = text, .answer = answer};
    const auto scanned = json::scan(text, json::Duplicates::allowed, scratch, reader);
    if (!scanned || !reader.is_object) {
        return unusable_answer(scanned ? "the answer is no JSON object"
                                       : scanned.error().message());
    }
    answer.is_empty = surface == Surface::images && reader.images == 0;
    answer.usage = reader.usage_of(surface, operation);
    return answer;
}

Result<void> StreamTap::feed(std::string_view bytes, json::Scratch& scratch) {
    decoder_.feed(bytes);
    sse::Event event;
    for (;;) {
        WEIR_TRY(const bool found, decoder_.next(event));
        if (!found) {
            return {};
        }
        if (event.kind == sse::Event::Kind::comment) {
            continue;
        }
        Answer answer;
        Reader reader{.text = event.data, .answer = answer};
        if (!json::scan(event.data, json::Duplicates::allowed, scratch, reader)) {
            continue;  // [DONE], or nothing of ours to judge
        }
        has_error_ = has_error_ || answer.error.is_set() || event.name == "error";
        // Of an image there may be drafts before it is done.
        images_ += reader.has_image && reader.type.find("partial") == std::string_view::npos;
        if (reader.has_tokens() || reader.heard || reader.duration) {
            usage_ = reader.usage_of(surface_, operation_);
        }
        if (surface_ == Surface::images && images_ > 0) {
            if (!usage_) {
                usage_.emplace();
            }
            usage_->images = images_;
        }
    }
}

}  // namespace weir::dialect::passing
