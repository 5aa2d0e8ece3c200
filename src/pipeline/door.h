// Which door a call came in by: what its path says of it. Values.
#pragma once

#include <string>

#include "llm/names.h"

namespace weir::pipeline {

struct Door {
    llm::Surface surface = llm::Surface::chat;
    llm::Operation operation = llm::Operation::only;
    llm::Dialect dialect = llm::Dialect::openai_chat;  // of the client
    std::string model;           // where the path names it; empty: the body does
    bool stream = false;         // where the path says it
    bool as_json_array = false;  // Gemini without alt=sse
};

}  // namespace weir::pipeline
