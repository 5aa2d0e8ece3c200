#include "base/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace weir {

void secure_random(std::span<unsigned char> into) {
    while (!into.empty()) {
        const auto got = ::getrandom(into.data(), into.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        WEIR_ASSERT(got > 0);
        into = into.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace weir
