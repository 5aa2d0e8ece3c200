// The `auth:` section of the configuration. Values.
#pragma once

#include "auth/authenticator.h"
#include "config/snapshot.h"

namespace weir::auth {

struct AuthSection {
    Mode mode = Mode::required;
};

config::Section auth_section();

}  // namespace weir::auth
