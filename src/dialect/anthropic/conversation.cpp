// Messages into turns: system texts where they belong, neighbours of one role together, results
// first, nothing that is empty or signed by somebody else.
#include <algorithm>

#include "dialect/anthropic/encode.h"

namespace weir::dialect::anthropic {
namespace {

using llm::Part;
using llm::Role;

// One that a client made up out of bytes that are no text is none.
bool is_own_thought(const llm::Reasoning& reasoning) {
    const std::string& signature = reasoning.signature.text;
    return reasoning.signature.of == llm::Dialect::anthropic && !signature.empty() &&
           json::detail::find_invalid_utf8(signature) == std::string_view::npos;
}

bool says_something(const Part& part, Role role, const ModelFacts& facts) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        return !text->text.empty();
    }
    if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        return !refusal->text.empty();
    }
    if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
        const bool may_think = facts.thinks_by_budget || facts.thinks_adaptively;
        return role == Role::assistant && may_think && is_own_thought(*reasoning);
    }
    return true;
}

bool is_result(const Part* part) { return llm::as<llm::ToolResult>(*part) != nullptr; }

class Arranger {
public:
    explicit Arranger(const ModelFacts& facts) : facts_(facts) {}

    void take(const llm::Message& message) {
        const bool is_system = message.role == Role::system || message.role == Role::developer;
        for (const Part& part : message.parts) {
            if (!says_something(part, message.role, facts_)) {
                continue;
            }
            if (is_system) {
                take_system(part);
                continue;
            }
            if (message.role == Role::assistant) {
                place_waiting();
            }
            add(message.role, part);
        }
    }

    Conversation finish() {
        place_waiting();
        for (Turn& turn : conversation_.turns) {
            std::vector<const Part*> ordered;
            std::copy_if(
                turn.parts.begin(), turn.parts.end(), std::back_inserter(ordered), is_result);
            std::remove_copy_if(
                turn.parts.begin(), turn.parts.end(), std::back_inserter(ordered), is_result);
            turn.parts = std::move(ordered);
        }
        drop_blank_end();
        return std::move(conversation_);
    }

private:
    void take_system(const Part& part) {
        if (conversation_.turns.empty()) {
            conversation_.system.push_back(&part);
        } else if (facts_.takes_system_in_place) {
            waiting_.push_back(&part);
        } else {
            add(Role::user, part);
        }
    }
    void add(Role role, const Part& part) {
        auto& turns = conversation_.turns;
        if (turns.empty() || turns.back().role != role) {
            turns.push_back({.role = role, .parts = {}});
        }
        turns.back().parts.push_back(&part);
    }
    // A system turn stands behind a user's turn, at the end or before an assistant's: it waits for
    // such a place, and where none comes it is said by the user.
    void place_waiting() {
        auto& turns = conversation_.turns;
        const bool has_place = !turns.empty() && turns.back().role == Role::user;
        for (const Part* part : waiting_) {
            add(has_place ? Role::system : Role::user, *part);
        }
        waiting_.clear();
    }
    // An answer that was begun for the model must not end in white space, or be nothing else.
    void drop_blank_end() {
        auto& turns = conversation_.turns;
        while (!turns.empty() && turns.back().role == Role::assistant) {
            auto& parts = turns.back().parts;
            const auto* text = parts.empty() ? nullptr : llm::as<llm::Text>(*parts.back());
            if (text != nullptr && without_blank_end(text->text).empty()) {
                parts.pop_back();
            } else if (parts.empty()) {
                turns.pop_back();
            } else {
                return;
            }
        }
    }

    const ModelFacts& facts_;
    Conversation conversation_;
    std::vector<const Part*> waiting_;
};

}  // namespace

Conversation arrange(const llm::Call& call, const ModelFacts& facts) {
    Arranger arranger(facts);
    for (const llm::Message& message : call.messages) {
        arranger.take(message);
    }
    return arranger.finish();
}

bool Conversation::lacks_thought() const {
    for (std::size_t i = turns.size(); i-- > 1;) {
        if (turns[i].role == Role::user && turns[i - 1].role == Role::assistant) {
            return is_result(turns[i].parts.front()) &&
                   llm::as<llm::Reasoning>(*turns[i - 1].parts.front()) == nullptr;
        }
        if (turns[i].role == Role::assistant) {
            return false;  // it is to be continued, not a loop
        }
    }
    return false;
}

}  // namespace weir::dialect::anthropic
