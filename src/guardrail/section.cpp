#include "guardrail/section.h"

#include <fmt/format.h>

#include <algorithm>

#include "guardrail/code_point.h"

namespace weir::guardrail {
namespace {

bool is_phrase(std::string_view text) {
    if (text.empty() || text.size() > kBannedWordBytesMax || text.front() == ' ' ||
        text.back() == ' ') {
        return false;
    }
    while (!text.empty()) {
        const CodePoint c = read_code_point(text);
        const bool control = c.value < 0x20 || (c.value >= 0x7f && c.value < 0xa0);
        // U+FFFD is also what any byte that is no UTF-8 reads as: as a rule it would hit all of
        // them.
        if (c.size == 0 || c.value == 0xfffd || control) {
            return false;
        }
        text.remove_prefix(c.size);
    }
    return true;
}

config::Type<std::string> phrase() {
    return {[](const config::Position& at, std::string& into, config::Reporter& reporter) {
                if (at.node.kind != config::Node::Kind::scalar || !is_phrase(at.node.text)) {
                    config::detail::report_unexpected(
                        at,
                        fmt::format("a word or phrase of at most {} bytes without spaces around it",
                                    kBannedWordBytesMax),
                        reporter);
                    return false;
                }
                into = at.node.text;
                return true;
            },
            R"({"type":"string","minLength":1})"};
}

}  // namespace

config::Section guardrails_section() {
    config::Object<OutputSection> output;
    output
        .field("max_length",
               &OutputSection::max_length,
               config::optional(config::integer(1, 1'000'000'000)),
               "the longest answer, in characters; it ends there with reason `length`")
        .field("banned_words",
               &OutputSection::banned_words,
               config::list(phrase()),
               "words and phrases that end an answer before them, with reason `content_filter`; "
               "whole words, upper and lower case alike")
        .check([](const OutputSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.banned_words.size() > kBannedWordsMax) {
                reporter.report(at.node.find("banned_words")->place,
                                at.path + ".banned_words",
                                fmt::format("at most {} words", kBannedWordsMax));
            }
        });
    config::Object<GuardrailsSection> guardrails;
    guardrails.field(
        "output", &GuardrailsSection::output, output.type(), "what answers must not say");
    return config::section<GuardrailsSection>(
        "guardrails", "what may pass in and out", guardrails.type());
}

}  // namespace weir::guardrail
