// Writing heads: appends to a string that the caller reuses. No checks beyond WEIR_ASSERT: what
// goes in here is Weir's own or was checked by a parser.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir::net {

std::string_view reason_phrase(int status);
// "HTTP/1.1 200 OK\r\n"
void append_status_line(std::string& into, int status);
// "name: value\r\n"
void append_field(std::string& into, std::string_view name, std::string_view value);
void append_field(std::string& into, std::string_view name, std::uint64_t value);
// "Date: …\r\n", formatted once a second per thread (RFC 9110 section 5.6.7).
void append_date(std::string& into, WallTime now);
void append_decimal(std::string& into, std::uint64_t value);

}  // namespace weir::net
