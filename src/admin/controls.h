// What the API asks of the running gateway itself; the gateway implements it. Any thread; calls
// block.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "runtime/runtime.h"

namespace weir::admin {

// What came of a reload.
struct Reloaded {
    // "weir.yaml:7: models[0].targets: …", every one of them; not empty: nothing was changed.
    std::vector<std::string> errors;
    // Changed sections and keys that only a restart puts in force.
    std::vector<std::string> needs_restart;
};

class Controls {
public:
    virtual ~Controls() = default;
    // Reads the configuration again and puts it in force. Errors: invalid_config where the file
    // cannot be read, overloaded while calls still run under too many configurations.
    virtual Result<Reloaded> reload() = 0;
    // Something was changed by hand: the log says what.
    virtual void note_change(std::string_view event, std::string_view what) = 0;
    // What calls that begin now follow.
    virtual std::shared_ptr<const runtime::Runtime> runtime() const = 0;
};

}  // namespace weir::admin
