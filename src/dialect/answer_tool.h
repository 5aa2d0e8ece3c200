// A JSON schema for the answer, of a model that has no word for one: it gets a tool whose arguments
// are the answer, and must call it; the call comes back as the text it stands for. What a client
// asked and what it is told never name the tool. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "llm/call.h"

namespace weir::dialect {

// Reserved: a call of it is an answer, whoever declared it.
inline constexpr std::string_view kAnswerTool = "weir_json_answer";

// A call with a schema for its answer, as one without. Beside tools of the client's the model may
// call either; where a tool of theirs is forced, the schema has nothing to say. `field` is what the
// client's dialect calls the format. Errors: invalid_request for a schema of something that is no
// object, and for a client's tool of that name.
Result<llm::Call> with_answer_tool(const llm::Call& call, std::string_view field);

// Tools of the client's may be called, or not: the model that must call one of all cannot think.
bool is_beside_tools(const llm::Call& call);

}  // namespace weir::dialect
