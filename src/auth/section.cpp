#include "auth/section.h"

namespace weir::auth {

config::Section auth_section() {
    config::Object<AuthSection> auth;
    auth.field(
        "mode",
        &AuthSection::mode,
        config::word<Mode>(
            {{"required", Mode::required}, {"optional", Mode::optional}, {"off", Mode::off}}),
        "whether a call needs an API key: required, optional (a key that is sent must be "
        "good) or off");
    return config::section<AuthSection>("auth", "who may call", auth.type());
}

}  // namespace weir::auth
