// Limits, sampling, thinking, the answer's format, and what only some models know.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "dialect/bedrock/encoder.h"

namespace weir::dialect::bedrock {
namespace {

using Thinking = ModelFacts::Thinking;
using Mode = llm::Thinking::Mode;
using llm::Effort;

// The smallest that Claude takes.
constexpr std::int64_t kBudgetMin = 1024;
// What must remain for the answer where the model's own limit is all there is.
constexpr std::int64_t kAnswerTokensMin = 1024;
constexpr double kTemperatureMax = 1.0;

std::int64_t budget_of(Effort effort) {
    switch (effort) {
        case Effort::none:
        case Effort::minimal:
            return kBudgetMin;
        case Effort::low:
            return 2048;
        case Effort::medium:
            return 8192;
        case Effort::high:
            return 24'576;
        case Effort::xhigh:
            return 32'768;
        case Effort::max:
            return 65'536;
    }
    std::unreachable();
}

std::string_view word_of(Effort effort) {
    switch (effort) {
        case Effort::none:
        case Effort::minimal:
        case Effort::low:
            return "low";
        case Effort::medium:
            return "medium";
        case Effort::high:
            return "high";
        case Effort::xhigh:
            return "xhigh";
        case Effort::max:
            return "max";
    }
    std::unreachable();
}

Effort capped(Effort effort, const ModelFacts& facts) {
    effort = std::min(effort, facts.effort_max);
    return effort == Effort::xhigh && !facts.takes_xhigh ? Effort::high : effort;
}

// Fields of Converse itself that have no place in a call of any client's dialect; others go to the
// model.
constexpr auto kConverseFields = std::to_array<std::string_view>(
    {"guardrailConfig", "performanceConfig", "promptVariables", "requestMetadata"});

}  // namespace

// What of the wish to think can be met. Runs before anything is written: sampling and the limit
// depend on it.
void Encoder::decide_thinking() {
    limit_ = call_.max_output_tokens;
    const llm::Thinking& wish = call_.thinking;
    const bool is_off = wish.mode == Mode::off || wish.effort == Effort::none;
    // Anthropic's clients say an effort also where nothing shall be thought.
    const bool is_on = !is_off && (wish.mode == Mode::on || wish.mode == Mode::adaptive ||
                                   (wish.effort && call_.from != llm::Dialect::anthropic));
    if (wish.effort && !is_off) {
        if (facts_.effort_max == Effort::none) {
            if (!is_on) {
                drop("reasoning");
            }
        } else {
            effort_ = capped(*wish.effort, facts_);
        }
    }
    if (is_off && facts_.thinking == Thinking::always) {
        drop("reasoning");
    }
    if (!is_on) {
        return;
    }
    const bool is_claude = facts_.family == ModelFacts::Family::claude;
    const bool wants_thought_back = facts_.thinking == Thinking::budget ||
                                    (facts_.thinking == Thinking::either && wish.budget_tokens);
    // Claude refuses thinking beside a forced tool, and in the middle of a loop it did not begin.
    if (facts_.thinking == Thinking::none || (is_claude && is_forced()) ||
        (wants_thought_back && is_in_tool_loop_without_thought())) {
        effort_.reset();
        return drop("reasoning");
    }
    thinks_ = true;
    if (wants_thought_back) {
        decide_budget();
    }
}

// Claude's limit holds the budget; that of other dialects is raised by it (API-MAPPING 3.3).
void Encoder::decide_budget() {
    const llm::Thinking& wish = call_.thinking;
    const bool is_named = wish.budget_tokens && *wish.budget_tokens > 0;
    const Effort effort = wish.effort.value_or(Effort::medium);
    budget_ = is_named ? *wish.budget_tokens : target_.effort_budgets.of(effort, budget_of(effort));
    budget_ = std::max(budget_, kBudgetMin);
    const std::int64_t cap = target_.output_tokens_max;
    if (limit_ && call_.from != llm::Dialect::anthropic) {
        // Both are the client's figures: their sum may not overflow.
        const std::int64_t room = std::numeric_limits<std::int64_t>::max() - budget_;
        limit_ = *limit_ > room ? *limit_ : *limit_ + budget_;
        if (cap > 0) {
            limit_ = std::max(*call_.max_output_tokens, std::min(*limit_, cap));
        }
    }
    if (limit_) {
        budget_ = std::min(budget_, *limit_ - 1);
    } else if (cap > 0) {
        budget_ = std::min(budget_, cap - kAnswerTokensMin);
    }
    if (budget_ < kBudgetMin) {
        thinks_ = false;
        budget_ = 0;
        effort_.reset();
        limit_ = call_.max_output_tokens;
        drop("reasoning");
    }
}

Result<void> Encoder::write_inference() {
    if (limit_ && *limit_ < 1) {
        return fail(Code::invalid_request,
                    fmt::format("'{}' must be at least 1 for this model.", names_.limit))
            .parameter(std::string(names_.limit));
    }
    const bool is_claude_thinking = thinks_ && facts_.family == ModelFacts::Family::claude;
    // Nova at its highest effort sets all three by itself.
    const bool is_nova_at_most =
        thinks_ && facts_.thinking == Thinking::nova && effort_ == Effort::high && !limit_;
    const bool is_fixed = !facts_.takes_sampling || is_claude_thinking || is_nova_at_most;
    std::string inner;
    json::Writer json(inner);
    if (limit_) {
        json.field("maxTokens", *limit_);
    }
    if (call_.temperature) {
        if (is_fixed) {
            drop("temperature");
        } else {
            json.field("temperature", std::clamp(*call_.temperature, 0.0, kTemperatureMax));
        }
    }
    if (call_.top_p) {
        if (is_fixed || (call_.temperature && !facts_.takes_both_samplings)) {
            drop("top_p");
        } else {
            json.field("topP", *call_.top_p);
        }
    }
    if (!call_.stop.empty()) {
        json.key("stopSequences").array();
        for (const std::string& word : call_.stop) {
            json.string(word);
        }
        json.end_array();
    }
    if (!inner.empty()) {
        json_.raw_field("inferenceConfig", fmt::format("{{{}}}", inner));
    }
    if (is_fixed && call_.top_k) {
        drop("top_k");
    } else {
        write_top_k();
    }
    return {};
}

void Encoder::write_top_k() {
    if (!call_.top_k) {
        return;
    }
    if (!facts_.takes_top_k && !passes("top_k")) {
        return drop("top_k");
    }
    if (facts_.family == ModelFacts::Family::nova) {
        extra_.key("inferenceConfig").object().field("topK", *call_.top_k).end_object();
    } else {
        extra_.field("top_k", *call_.top_k);
    }
}

void Encoder::write_thinking() {
    const bool is_claude = facts_.family == ModelFacts::Family::claude;
    if (thinks_ && is_claude) {
        extra_.key("thinking").object();
        if (budget_ > 0) {
            extra_.field("type", "enabled").field("budget_tokens", budget_);
        } else {
            extra_.field("type", "adaptive");
            if (call_.thinking.include_text && facts_.thinking != Thinking::either) {
                extra_.field("display", "summarized");  // else the newest keep it to themselves
            }
        }
        extra_.end_object();
    }
    if (is_claude) {
        if (effort_) {
            extra_.key("output_config").object().field("effort", word_of(*effort_)).end_object();
        }
    } else if (thinks_ && facts_.thinking == Thinking::nova) {
        Effort effort = effort_.value_or(Effort::medium);
        if (effort == Effort::high && limit_) {
            effort = Effort::medium;  // at the highest it takes no limit
        }
        extra_.key("reasoningConfig").object().field("type", "enabled");
        extra_.field("maxReasoningEffort", word_of(effort)).end_object();
    } else if (thinks_ && facts_.thinking == Thinking::effort && effort_) {
        extra_.field("reasoning_effort", word_of(*effort_));
    }
}

Result<void> Encoder::write_format() {
    using Kind = llm::OutputFormat::Kind;
    const llm::OutputFormat& format = call_.format;
    if (format.kind == Kind::json_object) {
        return cannot(names_.format, "the wish for JSON without a schema");
    }
    if (format.kind != Kind::json_schema) {
        return {};
    }
    if (!facts_.has_structured_output) {
        return cannot(names_.format, "a schema for its answer");
    }
    json_.key("outputConfig").object().key("textFormat").object().field("type", "json_schema");
    json_.key("structure").object().key("jsonSchema").object().field("schema", format.schema);
    json_.field_unless_empty("name", format.name);
    json_.field_unless_empty("description", format.description);
    json_.end_object().end_object().end_object().end_object();
    return {};
}

void Encoder::write_tier() {
    const std::string& tier = call_.service_tier;
    if (tier == "flex" || tier == "priority") {
        json_.key("serviceTier").object().field("type", tier).end_object();
    } else if (!tier.empty() && tier != "auto" && tier != "default" && tier != "standard" &&
               tier != "standard_only") {
        drop("service_tier");
    }
}

void Encoder::write_unknown() {
    for (const llm::UnknownField& field : call_.unknown) {
        if (!passes(field.name)) {
            drop(field.name);
        } else if (std::find(kConverseFields.begin(), kConverseFields.end(), field.name) !=
                   kConverseFields.end()) {
            json_.raw_field(field.name, field.json);
        } else {
            extra_.raw_field(field.name, field.json);
        }
    }
    const auto drop_if = [this](bool is_said, std::string_view name) {
        if (is_said) {
            drop(name);
        }
    };
    drop_if(call_.seed.has_value(), "seed");
    drop_if(call_.presence_penalty.value_or(0) != 0, "presence_penalty");
    drop_if(call_.frequency_penalty.value_or(0) != 0, "frequency_penalty");
    drop_if(!call_.verbosity.empty(), "verbosity");
    drop_if(!call_.user.empty(), "user");
}

void Encoder::write_extra() {
    if (!extra_text_.empty()) {
        json_.raw_field("additionalModelRequestFields", fmt::format("{{{}}}", extra_text_));
    }
    // Which sequence stopped it is told only on request, and where it stands depends on the wire.
    if (!call_.stop.empty() && facts_.family == ModelFacts::Family::claude) {
        json_.key("additionalModelResponseFieldPaths").array();
        json_.string(call_.stream ? "/delta/stop_sequence" : "/stop_sequence").end_array();
    }
}

}  // namespace weir::dialect::bedrock
