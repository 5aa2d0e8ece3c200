#include "base/assert.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace weir {

void assertion_failed(const char* condition, const char* file, int line) noexcept {
    // No allocation and no lock: whatever broke, this must still print.
    char digits[12];
    char* at = digits + sizeof digits;
    *--at = '\n';
    do {
        *--at = static_cast<char>('0' + line % 10);
        line /= 10;
    } while (line > 0);
    const auto say = [](const char* text, std::size_t size) {
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, size);
    };
    say("weir: broken invariant: ", 24);
    say(condition, std::strlen(condition));
    say(" at ", 4);
    say(file, std::strlen(file));
    say(":", 1);
    say(at, static_cast<std::size_t>(digits + sizeof digits - at));
    std::abort();
}

}  // namespace weir
