#include "aio/frame_pool.h"

#include <new>

namespace weir::aio {
namespace {

#if __has_feature(address_sanitizer)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 65;
// 256 KiB a class at most: what 128 calls at once need, and small enough to be idle memory.
constexpr std::size_t kKeptBytesPerClass = 256u << 10;

struct FreeFrame {
    FreeFrame* next;
};
struct FreeList {
    FreeFrame* head;
    std::size_t count;
};
constinit thread_local FreeList lists[kClasses] = {};

}  // namespace

void* take_frame(std::size_t bytes) {
    const std::size_t size_class = (bytes + kStep - 1) / kStep;
    if (!kPooled || size_class >= kClasses) {
        return ::operator new(bytes);
    }
    FreeList& list = lists[size_class];
    if (FreeFrame* frame = list.head) [[likely]] {
        list.head = frame->next;
        --list.count;
        return frame;
    }
    return ::operator new(size_class * kStep);
}

void give_frame(void* frame, std::size_t bytes) noexcept {
    const std::size_t size_class = (bytes + kStep - 1) / kStep;
    if (!kPooled || size_class >= kClasses ||
        lists[size_class].count * size_class * kStep >= kKeptBytesPerClass) {
        ::operator delete(frame);
        return;
    }
    FreeList& list = lists[size_class];
    list.head = ::new (frame) FreeFrame{list.head};
    ++list.count;
}

}  // namespace weir::aio
