// Any text as the id of a tool call and as a signature: what is read out of it is text, and what is
// put in comes out again.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "base/text.h"
#include "dialect/carrier.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weir;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (!is_utf8(text)) {
        return 0;  // no request holds it
    }
    const std::string in_body = '"' + std::string(text) + '"';
    const auto read = dialect::read_carried_id(text);
    WEIR_ASSERT(text.starts_with(read.id) && is_utf8(read.signature.text));
    WEIR_ASSERT(read.signature.text.empty() || dialect::may_carry(in_body));
    for (const llm::Dialect field_of : {llm::Dialect::anthropic, llm::Dialect::gemini}) {
        const auto field = dialect::read_carried_field(text, field_of);
        WEIR_ASSERT(is_utf8(field.text));
        const bool is_as_it_was = field.of == field_of && field.text == text;
        WEIR_ASSERT(is_as_it_was || dialect::may_carry(in_body));
    }
    const llm::Signature signature{.text = std::string(text), .of = llm::Dialect::bedrock};
    const std::string id = dialect::carry_in_id("call_1", signature);
    const auto again = dialect::read_carried_id(id);
    WEIR_ASSERT(again.id == "call_1" && again.signature.text == text);
    const std::string carried = dialect::carry_in_field(signature, llm::Dialect::anthropic);
    WEIR_ASSERT(dialect::read_carried_field(carried, llm::Dialect::anthropic) == signature);
    return 0;
}
