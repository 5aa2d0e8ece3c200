// Pictures, sounds and files as Gemini names them. Pure.
#pragma once

#include <string_view>

#include "llm/content.h"

namespace weir::dialect::gemini {

// Gemini has one form for all media: the MIME type says what it is.
llm::MediaKind media_kind_of(std::string_view mime);
// What base64 begins with betrays the common kinds; empty: it does not.
std::string_view guess_mime(std::string_view base64);
// A place that Gemini fetches from by itself: its own files, a bucket of Google's, YouTube.
bool is_fetched_by_google(std::string_view url);
// Google's Files API keeps it, for the account that uploaded it; in doubt: it does. The address may
// be that of a proxy before it.
bool is_kept_by_google(std::string_view uri);
// The address of "files/abc123".
inline constexpr std::string_view kFilesAddress =
    "https://generativelanguage.googleapis.com/v1beta/";

}  // namespace weir::dialect::gemini
