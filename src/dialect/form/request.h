// A request whose body is a form, in the terms of all others (dialect/request.h). Pure.
#pragma once

#include "dialect/form/scanner.h"
#include "dialect/request.h"

namespace weir::dialect::form {

// What `scanner` has read until now: all of the form, or at least its model. Errors:
// invalid_request where the path's model cannot stand in a form.
Result<Request> read_request(const RequestPath& path, const Scanner& scanner);

}  // namespace weir::dialect::form
