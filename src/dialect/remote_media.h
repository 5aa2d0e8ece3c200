// Media that a client names by a URL, and who gets them. Pure.
#pragma once

#include <string_view>

#include "llm/content.h"
#include "llm/names.h"

namespace weir::dialect {

// Whether providers of this dialect must be given the bytes of what an http(s) URL names: they do
// not fetch it, and take such media inline. False for any other URL, and where the dialect has no
// word for the kind of media at all: fetching would not help.
//
//   OpenAI's chat      files and sounds; pictures it fetches itself
//   Responses          nothing: it fetches pictures and files
//   Anthropic          files that are known to be no PDF; pictures and PDFs it fetches itself
//   Gemini             all but its own files, Google's buckets and YouTube
//   Bedrock            all: it fetches from S3 only
bool must_be_inlined(llm::Dialect dialect, const llm::Media& media);

// Whether what came ("image/png") is what the client spoke of: a picture must be a picture. A file
// may be anything.
bool is_of_kind(llm::MediaKind kind, std::string_view type);

// Puts what was fetched in the place of the URL. A file of which nobody said what it is becomes a
// picture where it is one.
void put_inline(llm::Media& media, std::string_view type, std::string_view bytes);

}  // namespace weir::dialect
