// Which path means what. Raw segments are matched: nothing is decoded or normalised, so the path
// that was judged is the path that is served. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::server {

enum class Route : std::uint8_t { none, chat, embeddings, models, model, admin };

struct Routed {
    Route route = Route::none;
    std::string_view allow;  // the methods it has, as the Allow field lists them
    std::string_view item;   // the model's name, of Route::model
};

Routed find_route(std::string_view path);

// Whether `method` is one of `allow`.
bool is_allowed(std::string_view allow, std::string_view method);

}  // namespace weir::server
