// For tests: the events of a stream, one line each.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "dialect/anthropic/codec.h"

namespace weir::dialect::anthropic {

inline std::string line_of(const llm::Event& event) {
    using Kind = llm::Event::Kind;
    static constexpr std::string_view kParts[] = {
        "text", "refusal", "reasoning", "tool_call", "media"};
    switch (event.kind) {
        case Kind::start:
            return fmt::format("start {} {}\n", event.id, event.model);
        case Kind::part_begin:
            return fmt::format("begin {} {}{}{}{}\n",
                               event.part,
                               kParts[static_cast<std::size_t>(event.part_kind)],
                               event.redacted ? " redacted" : "",
                               event.id.empty() ? "" : fmt::format(" {} {}", event.id, event.name),
                               event.signature.empty() ? "" : " signed");
        case Kind::delta:
            return fmt::format("delta {} {}\n", event.part, event.text);
        case Kind::signature:
            return fmt::format(
                "signature {} {} {}\n", event.part, llm::name(event.signature_of), event.text);
        case Kind::citation:
            return fmt::format("citation {} {}\n", event.part, event.citation->url);
        case Kind::part_end:
            return fmt::format("end {}\n", event.part);
        case Kind::finish:
            return fmt::format("finish {} {}\n", static_cast<int>(event.reason), event.text);
        case Kind::usage:
            return fmt::format("usage {} {} {} {} {} {} {}\n",
                               event.usage->input_tokens,
                               event.usage->cache_read_tokens,
                               event.usage->cache_write_tokens,
                               event.usage->cache_write_1h_tokens,
                               event.usage->output_tokens,
                               event.usage->reasoning_tokens,
                               event.usage->searches);
        case Kind::end:
            return "end of stream\n";
    }
    std::unreachable();
}

struct Transcript : EventSink {
    std::string said;
    Result<void> take(const llm::Event& event) override {
        said += line_of(event);
        return {};
    }
};

// All of a body, cut in two at `cut`; a failure is its last line.
inline std::string transcribe(std::string_view bytes, std::size_t cut = 0) {
    Transcript sink;
    const auto decoder = decode_stream(false);
    Result<void> taken = decoder->feed(bytes.substr(0, cut), sink);
    if (taken) {
        taken = decoder->feed(bytes.substr(cut), sink);
    }
    if (taken) {
        taken = decoder->end(sink);
    }
    return taken ? sink.said
                 : fmt::format("{}failed {} {}\n",
                               sink.said,
                               name(taken.error().code()),
                               taken.error().detail());
}

}  // namespace weir::dialect::anthropic
