#include "dialect/form/request.h"

#include <algorithm>

namespace weir::dialect::form {

Result<Request> read_request(const RequestPath& path, const Scanner& scanner) {
    Request request;
    request.surface = path.surface;
    request.form_boundary = scanner.boundary();
    request.model = scanner.model().value_or("");
    request.model_span = scanner.model_span();
    request.stream = scanner.stream();
    request.choices = scanner.count();
    request.body_is_empty = false;
    if (!path.model.empty()) {
        request.model = path.model;
        request.model_is_foreign = true;
        // It goes into the form as it is: a line break in it would be a field of its own.
        if (std::any_of(path.model.begin(), path.model.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            })) {
            return fail(Code::invalid_request, "The model's name in the path is none.")
                .parameter("model");
        }
    }
    return request;
}

}  // namespace weir::dialect::form
