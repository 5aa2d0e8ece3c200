// For tests: writes a stream's events down, and checks that they are a stream as llm/event.h says.
#pragma once

#include <fmt/format.h>

#include <set>
#include <string>

#include "dialect/stream.h"

namespace weir::dialect::bedrock {

struct Recorder : EventSink {
    using Kind = llm::Event::Kind;
    std::string said;   // one line per event, pieces of one part joined
    std::string fault;  // the first rule that was broken
    std::set<std::uint32_t> open;
    std::uint32_t begun = 0;
    std::uint32_t last_delta = 0;
    bool after_delta = false;
    bool started = false, finished = false, ended = false;

    void expect(bool holds, std::string_view rule) {
        if (!holds && fault.empty()) {
            fault = rule;
        }
    }

    Result<void> take(const llm::Event& event) override {
        expect(!ended, "nothing follows the end");
        expect(started == (event.kind != Kind::start), "one start, first");
        const bool goes_on = event.kind == Kind::delta && after_delta && last_delta == event.part;
        after_delta = event.kind == Kind::delta;
        last_delta = event.part;
        if (!goes_on && !said.empty()) {
            said += '\n';
        }
        switch (event.kind) {
            case Kind::start:
                started = true;
                said += "start";
                break;
            case Kind::part_begin:
                expect(event.part == begun++, "parts count up");
                open.insert(event.part);
                said += fmt::format("begin {} kind {} {} {} {}{}",
                                    event.part,
                                    static_cast<int>(event.part_kind),
                                    event.id,
                                    event.name,
                                    event.mime,
                                    event.redacted ? "redacted" : "");
                break;
            case Kind::delta:
                expect(open.contains(event.part), "a delta's part is open");
                expect(!event.text.empty(), "a delta says something");
                said += goes_on ? std::string(event.text)
                                : fmt::format("delta {} {}", event.part, event.text);
                break;
            case Kind::signature:
                expect(open.contains(event.part), "a signature's part is open");
                expect(event.signature_of == llm::Dialect::bedrock, "a signature is its own");
                said += fmt::format("signature {} {}", event.part, event.text);
                break;
            case Kind::citation:
                expect(open.contains(event.part), "a citation's part is open");
                said += fmt::format("citation {} {} {} {}",
                                    event.part,
                                    event.citation->title,
                                    event.citation->url,
                                    event.citation->cited_text);
                break;
            case Kind::part_end:
                expect(open.erase(event.part) == 1, "what ends was open");
                said += fmt::format("end {}", event.part);
                break;
            case Kind::finish:
                expect(open.empty(), "all parts ended");
                expect(!finished, "one finish");
                finished = true;
                said += fmt::format("finish {} {}", llm::name(event.reason), event.text);
                break;
            case Kind::usage:
                said += fmt::format("usage {} {} {} {} {}",
                                    event.usage->input_tokens,
                                    event.usage->cache_read_tokens,
                                    event.usage->cache_write_tokens,
                                    event.usage->cache_write_1h_tokens,
                                    event.usage->output_tokens);
                break;
            case Kind::end:
                expect(finished, "a finish comes before the end");
                ended = true;
                said += "end";
                break;
        }
        return {};
    }
};

// What a stream decodes to, fed in the given pieces.
struct Streamed {
    std::string said, error;
    bool operator==(const Streamed&) const = default;
};

}  // namespace weir::dialect::bedrock
