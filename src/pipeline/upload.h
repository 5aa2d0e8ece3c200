// A request whose body is a form with files. What comes until the model is known is held, so that
// nothing is asked of a provider before the call is admitted; a small upload is held whole, and is
// a request like any other; of a large one the rest goes through as it comes. Values.
#pragma once

#include <cstdint>
#include <string>

#include "dialect/form/scanner.h"

namespace weir::pipeline {

// DESIGN section 11: recordings are sent whole.
inline constexpr std::size_t kUploadBytesMax = 64u << 20;
// What is held of an upload that names its model early. One that names it behind its files (as
// OpenAI's TypeScript SDK does where the caller says `file` first) must be held whole.
inline constexpr std::size_t kUploadHeldBytes = 1u << 20;

struct Upload {
    explicit Upload(std::string_view boundary) : scanner(boundary) {}

    dialect::form::Scanner scanner;
    std::string held;
    bool is_whole = false;    // `held` is all of it
    std::uint64_t bytes = 0;  // until now
};

}  // namespace weir::pipeline
