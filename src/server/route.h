// Which path means what. Raw segments are matched and nothing is normalised, so the path that was
// judged is the path that is served; only a model's name inside a path is percent-decoded. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "llm/names.h"

namespace weir::server {

enum class Route : std::uint8_t {
    none,
    call,    // a call to a model: `surface`, `dialect` and perhaps `item` say which
    kept,    // what a provider keeps: `item` is its id, `rest` what is asked of it
    models,  // the list of models
    model,   // one of them: `item`
    admin,
};

struct Routed {
    Route route = Route::none;
    std::string_view allow;  // the methods it has, as the Allow field lists them
    llm::Surface surface = llm::Surface::chat;
    llm::Operation operation = llm::Operation::only;
    llm::Dialect dialect = llm::Dialect::openai_chat;  // of the answers, also of refusals
    std::string item;                                  // the model's name, where the path has it
    std::string_view rest;                             // of Route::kept: "", "/cancel" …
    bool stream = false;                               // Gemini's streamGenerateContent
};

Routed find_route(std::string_view path);

// Whether `method` is one of `allow`.
bool is_allowed(std::string_view allow, std::string_view method);

// The value of `name` in a query ("alt=sse&key=…"), percent-decoded; empty: not there.
std::string query_value(std::string_view query, std::string_view name);

}  // namespace weir::server
