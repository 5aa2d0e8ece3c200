#include "net/buffers.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "base/assert.h"

namespace weir::net {
namespace {

// simdjson's validator and SIMD scanners may read past the end of a view by this much.
constexpr std::size_t kPadding = 64;
constexpr std::size_t kKeptBuffers = 256;  // 4 MiB a thread

struct FreeBlocks {
    std::vector<char*> blocks;
    ~FreeBlocks() {
        for (char* block : blocks) {
            std::free(block);
        }
    }
};
thread_local FreeBlocks free_blocks;

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
    char* memory = nullptr;
    if (capacity <= kBufferBytes) {
        capacity = kBufferBytes;
        if (!free_blocks.blocks.empty()) {
            memory = free_blocks.blocks.back();
            free_blocks.blocks.pop_back();
        }
    }
    if (memory == nullptr) {
        memory = allocate(capacity);
    }
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
    if (capacity_ == kBufferBytes && free_blocks.blocks.size() < kKeptBuffers) {
        free_blocks.blocks.push_back(data_);
    } else {
        std::free(data_);
    }
    data_ = nullptr;
    size_ = capacity_ = 0;
}

}  // namespace weir::net
