// What the models behind Bedrock take and what they refuse, by their names: Converse has one form
// for all of them, but a field that a model does not know is refused with 400. One place to change
// when a model comes. Pure.
//
// Of a model whose name says nothing (an application inference profile) hints are left out, and
// what carries meaning (a schema, a forced tool) is sent: the provider knows best.
#pragma once

#include <cstdint>
#include <string_view>

#include "llm/call.h"

namespace weir::dialect::bedrock {

struct ModelFacts {
    enum class Family : std::uint8_t { claude, nova, llama, openai, other, unknown };
    enum class Thinking : std::uint8_t {
        none,      // or without a switch
        budget,    // Claude's thinking.budget_tokens
        either,    // that, or adaptive
        adaptive,  // Claude decides; an effort guides it
        always,    // adaptive, and cannot be turned off
        nova,      // reasoningConfig.maxReasoningEffort
        effort,    // reasoning_effort, as OpenAI's chat has it
    };
    enum class Forcing : std::uint8_t {
        none,   // tools cannot be forced
        any,    // one of the tools
        named,  // also a certain one
    };
    Family family = Family::unknown;
    Thinking thinking = Thinking::none;
    Forcing forcing = Forcing::any;
    llm::Effort effort_max = llm::Effort::none;  // none: takes no effort
    bool takes_xhigh = false;                    // an effort between high and max
    bool takes_sampling = true;                  // temperature, top_p and top_k
    bool takes_both_samplings = true;            // temperature beside top_p
    bool takes_top_k = false;
    bool caches = false;           // takes cache points
    bool caches_tools = false;     // … among the tools, too
    bool caches_for_hour = false;  // … with a time to live of one hour
    bool marks_errors = false;     // takes the status of a tool's result
    bool has_structured_output = true;
    bool has_strict_tools = false;
    bool signs_thinking = false;  // and wants its signatures back
};

// `model` as Bedrock names it: "anthropic.claude-sonnet-4-5-20250929-v1:0", with or without a
// region before it, or an ARN that holds such a name.
ModelFacts facts_of(std::string_view model);

}  // namespace weir::dialect::bedrock
