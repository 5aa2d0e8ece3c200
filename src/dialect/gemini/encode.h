// A call of another dialect's client, written for Gemini. What becomes of each field:
//
//   messages             contents; leading system and developer messages: systemInstruction, later
//                        ones a text of the user's turn; neighbours of one role are one content
//   text                 as it is; empty text is left out
//   image, audio, file   inlineData; an address only where Google fetches it (Cloud Storage, its
//                        own files, YouTube), others refused: who fetches them does so before
//   tool calls           functionCall with the client's id; a foreign signature is left out, and
//                        Gemini 3 gets the word that it takes for a missing one
//   tool results         functionResponse, first in one content; objects as they are, all else as
//                        {"result": …}, failures as {"error": …}; media inside it (Gemini 3) or
//                        behind the results
//   thinking in history  only what Gemini signed
//   tools                functionDeclarations with parametersJsonSchema; another API's own tools
//                        are refused
//   tool choice          functionCallingConfig; one call at a time: dropped, there is no switch
//   format               responseMimeType, responseJsonSchema
//   reasoning            thinkingConfig, by model (model_facts.h)
//   n, logprobs          candidateCount, responseLogprobs
//   stop                 up to 5, more are refused
//   service tier         standard, flex, priority; others dropped
//   verbosity, cache marks, user, names of participants, what is unknown: dropped
//
// Where the client speaks Gemini, too, its unknown fields go along.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "dialect/edge.h"
#include "dialect/gemini/model_facts.h"
#include "dialect/json/document.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {

// Gemini takes no more.
inline constexpr std::size_t kStopsMax = 5;

// The conversation, its media and all else are written by three files into one body.
struct RequestEncoder {
    const llm::Call& call;
    const ModelFacts facts;
    EncodedRequest encoded{};
    json::Writer json{encoded.body};

    void drop(std::string_view name) {
        auto& dropped = encoded.dropped;
        if (std::find(dropped.begin(), dropped.end(), name) == dropped.end()) {
            dropped.emplace_back(name);
        }
    }
    // Writes the fields systemInstruction and contents.
    Result<void> write_conversation();
    // A part with media. `path` names it to the client.
    Result<void> write_media(const llm::Media& media, bool is_model, const std::string& path);
};

// "contents[2].parts[0]", in the words of the client's dialect.
std::string message_path(llm::Dialect dialect, std::size_t message);
std::string part_path(llm::Dialect dialect, std::size_t message, std::size_t part);

// "models/…": how a body names the model.
std::string resource_of(std::string_view model);

// Of a field that Gemini has no way to honour.
Failure cannot(std::string parameter, std::string_view what);

}  // namespace weir::dialect::gemini
