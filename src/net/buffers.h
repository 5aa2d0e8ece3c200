// Memory of a reactor thread that no call owns for longer than it must. A Buffer is 16 KiB from a
// bounded free list, held only while there are bytes in it: an idle connection holds none. The
// scratch area is shared by all calls of the thread: what lies in it is valid until the next
// suspension, never across one.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace weir::net {

inline constexpr std::size_t kBufferBytes = 16u << 10;
inline constexpr std::size_t kScratchBytes = 64u << 10;

// This thread's scratch area for received bytes.
std::span<char> receive_scratch();

// A growable byte buffer that starts as a pooled block and falls back to the heap for larger
// messages.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~Buffer() { release(); }

    std::string_view view() const { return {data_, size_}; }
    char* data() { return data_; }
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    std::span<char> room() { return {data_ + size_, capacity_ - size_}; }
    void grow_by(std::size_t bytes) { size_ += bytes; }  // after writing into room()

    // At least `capacity` bytes; keeps the content. Views into the buffer are invalid afterwards.
    void reserve(std::size_t capacity);
    void append(std::string_view bytes);
    // Drops the first bytes; gives the memory back when nothing is left.
    void consume(std::size_t bytes);
    void release();

private:
    void swap(Buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
    }
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace weir::net
