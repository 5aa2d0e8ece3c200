// Signals as events: block_signals() before the first thread starts, then one coroutine reads them.
#pragma once

#include <initializer_list>
#include <memory>

#include "aio/deadline.h"
#include "aio/descriptor.h"
#include "aio/task.h"

namespace weir::aio {

// Blocks the signals for this thread and all it starts later; ignores SIGPIPE.
void block_signals(std::initializer_list<int> signals);

class Signals {
public:
    // The signals must be blocked.
    explicit Signals(std::initializer_list<int> signals);
    // The next signal's number; 0 when cancelled.
    Task<int> next();

private:
    std::unique_ptr<Descriptor> descriptor_;
};

}  // namespace weir::aio
