// Where clients put their credential. Pure.
#pragma once

#include <string_view>

#include "net/http_head.h"

namespace weir::pipeline {

// `Authorization: Bearer …`, else `x-api-key`, `x-goog-api-key`, `api-key`, else `key=` of the
// query; empty where there is none.
std::string_view credential_of(const net::RequestHead& head);

}  // namespace weir::pipeline
