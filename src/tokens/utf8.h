// UTF-8 as the tokenizer takes it: whole, so that the layers below need not check.
#pragma once

#include <string>
#include <string_view>

namespace weir::tokens {

// `text` itself where it is valid UTF-8 (RFC 3629: no surrogates, nothing overlong). Else what
// browsers and SDKs make of it: U+FFFD for each longest part of a sequence that cannot go on,
// written into `repaired`, which the result then points into.
std::string_view valid_utf8(std::string_view text, std::string& repaired);

}  // namespace weir::tokens
