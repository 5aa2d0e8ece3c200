// WEIR_ASSERT stays on in release: a broken invariant ends the process before it can corrupt money.
#pragma once

namespace weir {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace weir

#define WEIR_ASSERT(condition)                                        \
    do {                                                              \
        if (!(condition)) [[unlikely]] {                              \
            ::weir::assertion_failed(#condition, __FILE__, __LINE__); \
        }                                                             \
    } while (false)

// For a buffer on the path of a call that is written before it is read: opts out of the release
// build's -ftrivial-auto-var-init=zero.
#define WEIR_UNINITIALIZED [[clang::uninitialized]]
