// One step of a streamed answer, in a form that every dialect can be decoded into and encoded from.
// A stream is
//
//   start  (part_begin (delta | signature | citation)* part_end)*  finish  usage?  end
//
// per choice for what lies between start and usage; parts of one choice may be open side by side
// (OpenAI's parallel tool calls may interleave; dialect::Sequencer puts them in order). `usage` may
// come at any time and more than once: it replaces what came before. A decoder gives `end` exactly
// once, when the dialect's own terminal was seen; a failure is the decoder's error, never an event.
//
// The views live until the sink returns.
#pragma once

#include <cstdint>
#include <string_view>

#include "llm/content.h"
#include "llm/names.h"
#include "llm/usage.h"

namespace weir::llm {

enum class PartKind : std::uint8_t { text, refusal, reasoning, tool_call, media };

struct Event {
    enum class Kind : std::uint8_t {
        start,       // id, model
        part_begin,  // part_kind; of a tool call id and name, perhaps a signature; of reasoning
                     // redacted and is_summary; of media mime
        delta,       // text: a piece of the text, of the tool call's arguments (JSON), of base64;
                     // of a text perhaps logprobs
        signature,   // text and signature_of: of the part (comes whole)
        citation,    // citation
        part_end,
        finish,  // reason; text: the stop sequence met, or the provider's word for `other`
        usage,   // usage: cumulative
        end,
    };
    Kind kind = Kind::start;
    std::uint32_t choice = 0;
    std::uint32_t part = 0;  // counts the parts of a choice in the order they began
    PartKind part_kind = PartKind::text;
    bool redacted = false;
    bool is_summary = false;
    std::string_view text;
    std::string_view logprobs;  // of the tokens of `text`: members of OpenAI's array, JSON
    std::string_view id;
    std::string_view name;
    std::string_view model;
    std::string_view mime;
    std::string_view signature;
    Dialect signature_of = Dialect::openai_chat;
    const Citation* citation = nullptr;
    FinishReason reason = FinishReason::none;
    const Usage* usage = nullptr;
};

}  // namespace weir::llm
