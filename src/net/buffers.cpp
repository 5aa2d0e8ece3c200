#include "net/buffers.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/assert.h"

namespace weir::net {
namespace {

// simdjson's validator and SIMD scanners may read past the end of a view by this much.
constexpr std::size_t kPadding = 64;
constexpr std::size_t kWarmBlocks = 256;  // 4 MiB a thread
constexpr std::size_t kBlocksPerSlab = 64;
constexpr std::size_t kSlabBytes =
    kBlocksPerSlab * kBufferBytes + 4096;  // the last may be read past

#if __has_feature(address_sanitizer)
constexpr bool kPooled = false;  // it is to see a read past the end
#else
constexpr bool kPooled = true;
#endif

// A thread's blocks, in slabs of their own: freed in the heap they would leave holes between what
// lives longer. Those beyond the warm ones keep their addresses and give their memory back, so that
// a burst of calls does not stay resident.
class Blocks {
public:
    ~Blocks() {
        if (taken_ == 0) {
            for (char* slab : slabs_) {
                ::munmap(slab, kSlabBytes);
            }
        }
    }
    char* take() {
        if (!kPooled) {
            return static_cast<char*>(std::malloc(kBufferBytes));
        }
        ++taken_;
        if (warm_.empty() && cold_.empty()) {
            add_slab();
        }
        auto& from = warm_.empty() ? cold_ : warm_;
        char* const block = from.back();
        from.pop_back();
        return block;
    }
    void give(char* block) {
        if (!kPooled) {
            std::free(block);
            return;
        }
        --taken_;
        if (warm_.size() < kWarmBlocks) {
            warm_.push_back(block);
            return;
        }
        ::madvise(block, kBufferBytes, MADV_DONTNEED);
        cold_.push_back(block);
    }

private:
    void add_slab() {
        void* const memory =
            ::mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        WEIR_ASSERT(memory != MAP_FAILED);
        slabs_.push_back(static_cast<char*>(memory));
        for (std::size_t i = kBlocksPerSlab; i > 0; --i) {
            cold_.push_back(slabs_.back() + (i - 1) * kBufferBytes);
        }
    }
    std::vector<char*> slabs_, warm_, cold_;
    std::size_t taken_ = 0;
};
thread_local Blocks blocks;

char* allocate(std::size_t bytes) {
    auto* memory = static_cast<char*>(std::malloc(bytes + kPadding));
    WEIR_ASSERT(memory != nullptr);
    return memory;
}

}  // namespace

std::span<char> receive_scratch() {
    thread_local const std::unique_ptr<char[]> scratch(new char[kScratchBytes + kPadding]);
    return {scratch.get(), kScratchBytes};
}

void Buffer::reserve(std::size_t capacity) {
    if (capacity <= capacity_) {
        return;
    }
    capacity = std::max(capacity, kBufferBytes);
    char* const memory = capacity == kBufferBytes ? blocks.take() : allocate(capacity);
    const std::size_t kept = size_;
    if (kept > 0) {
        std::memcpy(memory, data_, kept);
    }
    release();
    data_ = memory;
    size_ = kept;
    capacity_ = capacity;
}

void Buffer::append(std::string_view bytes) {
    if (size_ + bytes.size() > capacity_) {
        reserve(std::max(size_ + bytes.size(), capacity_ * 2));
    }
    if (!bytes.empty()) {
        std::memcpy(data_ + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
    }
}

void Buffer::consume(std::size_t bytes) {
    WEIR_ASSERT(bytes <= size_);
    if (bytes == size_) {
        release();
        return;
    }
    std::memmove(data_, data_ + bytes, size_ - bytes);
    size_ -= bytes;
    if (capacity_ > kBufferBytes && size_ <= kBufferBytes) {
        Buffer smaller;
        smaller.append(view());
        swap(smaller);
    }
}

void Buffer::release() {
    if (data_ == nullptr) {
        return;
    }
    if (capacity_ == kBufferBytes) {
        blocks.give(data_);
    } else {
        std::free(data_);
    }
    data_ = nullptr;
    size_ = capacity_ = 0;
}

}  // namespace weir::net
