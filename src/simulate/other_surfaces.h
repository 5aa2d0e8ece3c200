// What the simulator answers where no words are asked for, or in OpenAI's oldest way: moderations,
// images, audio, rerank and completions. Small and made of the request alone, so that a test knows
// what to expect. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "simulate/door.h"

namespace weir::simulate {

struct Reply {
    std::string type = "application/json";
    std::vector<std::string> parts;  // one: whole; more: sent one after the other
    std::int64_t tokens = 0;         // of output
};

// Whether reply() knows the surface.
bool has_reply(llm::Surface surface);

//   * moderations flag what says "violence"
//   * images are one pixel; models named gpt-image count tokens, and stream
//   * speech is 100 bytes a character, in ten parts; with `stream_format: sse`, events
//   * transcriptions say words that follow from the file, a second of it is 1,000 bytes; models
//     named gpt count tokens, others seconds
//   * rerank scores a document by how many bytes it has in common with the query's beginning
// Errors: invalid_json, invalid_request.
Result<Reply> reply(std::uint64_t seed,
                    const Door& door,
                    std::string_view content_type,
                    std::string_view body);

}  // namespace weir::simulate
