// Which of its surfaces a path of the simulator means. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llm/names.h"

namespace weir::simulate {

struct Door {
    llm::Surface surface = llm::Surface::chat;
    llm::Operation operation = llm::Operation::only;
    llm::Dialect dialect = llm::Dialect::openai_chat;
    std::string model;  // where the path names it
    bool stream = false;
};

// Of a POST; nullopt: there is nothing.
std::optional<Door> find_door(std::string_view path);

}  // namespace weir::simulate
