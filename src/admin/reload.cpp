// POST /api/v1/reload
#include "admin/api.h"
#include "admin/fields.h"

namespace weir::admin {

Result<Reply> Api::reload(const Request& request) {
    if (!request.body.empty()) {
        WEIR_TRY(const Json none, read_object(request.body, {}));
        static_cast<void>(none);
    }
    WEIR_TRY(const Reloaded reloaded, controls_.reload());
    if (!reloaded.errors.empty()) {
        // The list is the answer: one sentence could not hold it.
        return Reply{
            .status = 400,
            .body =
                write({{"object", "reload"}, {"result", "refused"}, {"errors", reloaded.errors}})};
    }
    return Reply{.body = write({{"object", "reload"},
                                {"result", "in_force"},
                                {"needs_restart", reloaded.needs_restart}})};
}

}  // namespace weir::admin
