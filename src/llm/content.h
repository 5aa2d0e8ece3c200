// What messages and answers are made of: parts that carry what all four dialects can say. Values
// only; every string is UTF-8, and what is JSON says so. What one dialect alone knows travels as
// Opaque and is understood by nobody else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "llm/names.h"

namespace weir::llm {

// "Remember what comes until here" (Anthropic's cache_control); others cache by themselves.
struct CacheMark {
    bool is_set = false;
    bool for_an_hour = false;  // else five minutes
    bool operator==(const CacheMark&) const = default;
};

// Where a text comes from. Offsets are in code points of the part's text.
struct Citation {
    std::string url, title, cited_text;
    std::optional<std::int64_t> start, end;  // unset: of the whole text, or not known
    std::string json;                        // as its dialect said it
    Dialect of = Dialect::openai_chat;
    bool operator==(const Citation&) const = default;
};

// Proof that a provider's own model wrote something. It goes back to that provider unchanged and to
// nobody else: signatures never cross dialects.
struct Signature {
    std::string text;  // empty: none
    Dialect of = Dialect::openai_chat;
    bool operator==(const Signature&) const = default;
};

struct Text {
    std::string text;
    std::vector<Citation> citations;
    Signature signature;  // Gemini signs texts, too
    bool operator==(const Text&) const = default;
};

struct Refusal {
    std::string text;
    bool operator==(const Refusal&) const = default;
};

// Thinking made visible. `redacted`: there is no text, the signature holds it sealed.
struct Reasoning {
    std::string text;
    Signature signature;
    bool redacted = false;
    bool is_summary = false;  // of the thinking, not the thinking itself
    std::string id;           // the provider's, where it has one (Responses)
    bool operator==(const Reasoning&) const = default;
};

enum class MediaKind : std::uint8_t { image, audio, video, file };

// Exactly one of data, url and file_id is set.
struct Media {
    MediaKind kind = MediaKind::image;
    std::string mime;     // "image/png"; empty: not said
    std::string data;     // base64
    std::string url;      // http, https or the provider's own scheme; never data:
    std::string file_id;  // of a file kept by the provider
    std::string name;     // of the file, or its title
    std::string detail;   // of an image: auto, low, high
    std::string context;  // of a document
    bool wants_citations = false;
    bool is_plain_text = false;  // `data` is the text itself
    bool operator==(const Media&) const = default;
};

struct ToolCall {
    std::string id;  // empty where the dialect has none: the encoder makes one
    std::string name;
    std::string arguments;  // the text of a JSON object; empty: none
    Signature signature;
    bool operator==(const ToolCall&) const = default;
};

struct Part;

struct ToolResult {
    std::string call_id;
    std::string name;  // of the tool, where the dialect says it
    std::vector<Part> content;
    bool is_error = false;
    bool operator==(const ToolResult&) const = default;
};

// A part that only `of` knows, as it came: a JSON object. `type` names it for messages.
struct Opaque {
    Dialect of = Dialect::openai_chat;
    std::string type;
    std::string json;
    bool operator==(const Opaque&) const = default;
};

struct Part {
    std::variant<Text, Refusal, Reasoning, Media, ToolCall, ToolResult, Opaque> body;
    CacheMark cache;
    bool operator==(const Part&) const = default;
};

// The value of one kind, or null.
template <class T>
const T* as(const Part& part) {
    return std::get_if<T>(&part.body);
}

// Tool results stand in messages of the user, as Anthropic and Gemini have it.
struct Message {
    Role role = Role::user;
    std::vector<Part> parts;
    std::string name;  // of the participant, OpenAI's chat only
    bool operator==(const Message&) const = default;
};

}  // namespace weir::llm
