#include "runtime/stream_section.h"

#include "config/types.h"

namespace weir::runtime {

config::Section stream_section() {
    using namespace std::chrono_literals;
    config::Object<StreamSection> stream;
    stream.field("keepalive",
                 &StreamSection::keepalive,
                 config::duration(0ms, 1h),
                 "a client that waits for the first token so long gets the head of its answer and "
                 "a comment, and again each time; 15s unless set, 0s never");
    return config::section<StreamSection>("stream", "answers that come in pieces", stream.type());
}

}  // namespace weir::runtime
