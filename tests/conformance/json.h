// nlohmann's JSON, in which a look at what is not there fails the test that looks, with words,
// instead of ending the program: gtest catches what is thrown.
#pragma once

#include <stdexcept>

#define JSON_ASSERT(holds) \
    static_cast<void>((holds) ? 0 : throw std::out_of_range("JSON has not: " #holds))

#include <nlohmann/json.hpp>
