// Which of OpenAI's byte-pair encodings a model reads. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::tokens {

enum class Encoding : std::uint8_t { cl100k, o200k };
std::string_view name(Encoding encoding);

// The encoding of an OpenAI model, by its name as requests spell it: dated, fine-tuned (`ft:…`),
// with OpenRouter's `openai/` in front or Azure's `gpt-35-`. nullopt: a model whose tokenizer is
// not public, or one this list does not know (`estimate` in count.h is for these).
std::optional<Encoding> encoding_of(std::string_view model);

}  // namespace weir::tokens
