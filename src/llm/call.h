// What a client asks of a model, in a form that every dialect can be decoded into and encoded from.
// Values only. An unset option was not said: zero is a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llm/content.h"
#include "llm/names.h"

namespace weir::llm {

struct Tool {
    std::string name;
    std::string description;
    std::string schema;  // of the arguments: a JSON object; empty: none was given
    std::optional<bool> strict;
    CacheMark cache;
    // A tool that the provider runs itself (web search, code): only `of` knows it. Empty: a
    // function of the caller's.
    std::string opaque_json;
    Dialect of = Dialect::openai_chat;
};

struct ToolChoice {
    enum class Mode : std::uint8_t { unset, automatic, none, required, named };
    Mode mode = Mode::unset;
    std::string name;                  // of Mode::named
    std::vector<std::string> allowed;  // empty: all
    std::optional<bool> parallel;      // false: one call at a time
};

struct OutputFormat {
    enum class Kind : std::uint8_t { unset, text, json_object, json_schema };
    Kind kind = Kind::unset;
    std::string name;         // of the schema
    std::string description;  // of the schema
    std::string schema;       // a JSON object
    std::optional<bool> strict;
};

enum class Effort : std::uint8_t { none, minimal, low, medium, high, xhigh, max };

// Tokens to think with, where the client gave a word and the model wants a figure: the operator's
// choice. Unset: the dialect's own.
struct EffortBudgets {
    std::optional<std::int64_t> minimal, low, medium, high, xhigh, max;
    std::int64_t of(Effort effort, std::int64_t otherwise) const;
    bool operator==(const EffortBudgets&) const = default;
};

struct Thinking {
    enum class Mode : std::uint8_t { unset, off, on, adaptive };
    Mode mode = Mode::unset;
    std::optional<Effort> effort;
    std::optional<std::int64_t> budget_tokens;  // -1: the model decides
    bool include_text = false;                  // the client wants to see it (or a summary of it)
    std::string summary;                        // Responses: auto, concise, detailed
};

// A top-level field that its dialect's decoder does not know, as it came. Quirk tables list those a
// target takes; the others are dropped and counted (API-MAPPING rule 2).
struct UnknownField {
    std::string name;
    std::string json;
};

struct Call {
    Dialect from = Dialect::openai_chat;
    std::string model;  // as the client called it
    bool stream = false;
    bool include_usage = false;  // OpenAI's chat: the client wants the usage chunk

    // System and developer messages stand where the client put them; Anthropic's `system`, Gemini's
    // `systemInstruction` and the Responses' `instructions` come first.
    std::vector<Message> messages;
    std::vector<Tool> tools;
    ToolChoice tool_choice;
    OutputFormat format;
    Thinking thinking;

    std::optional<std::int64_t> max_output_tokens;
    std::optional<double> temperature, top_p;
    std::optional<std::int64_t> top_k;
    std::vector<std::string> stop;
    std::optional<std::int64_t> seed;
    std::optional<double> presence_penalty, frequency_penalty;
    std::int64_t choices = 1;
    bool logprobs = false;
    std::optional<std::int64_t> top_logprobs;
    std::string verbosity;     // low, medium, high
    std::string service_tier;  // as the client's dialect says it
    CacheMark cache;           // of the whole call
    // Identity and housekeeping, which stay here or go to a provider of the same dialect only.
    std::string user;
    // What the model may answer in beside text: "audio", "image".
    std::vector<std::string> modalities;
    std::vector<UnknownField> unknown;
};

}  // namespace weir::llm
