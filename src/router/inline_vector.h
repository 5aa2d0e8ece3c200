// A vector whose elements lie in itself, at most kCapacity of them: what a call needs for the
// moment it is planned, without a heap. Of plain values.
#pragma once

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace weir::router {

template <class T, std::size_t kCapacity>
class InlineVector {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    // Elements are not touched before they are there: a plan of three costs three.
    InlineVector() {}
    InlineVector(const InlineVector&) = delete;

    void push_back(const T& value) {
        WEIR_ASSERT(size_ < kCapacity);
        ::new (static_cast<void*>(bytes_ + sizeof(T) * size_)) T(value);
        ++size_;
    }
    void clear() { size_ = 0; }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    bool is_full() const { return size_ == kCapacity; }
    T* data() { return std::launder(reinterpret_cast<T*>(bytes_)); }
    const T* data() const { return std::launder(reinterpret_cast<const T*>(bytes_)); }
    std::span<T> span() { return {data(), size_}; }
    std::span<const T> span() const { return {data(), size_}; }
    T* begin() { return data(); }
    T* end() { return data() + size_; }
    const T* begin() const { return data(); }
    const T* end() const { return data() + size_; }
    T& operator[](std::size_t i) {
        WEIR_ASSERT(i < size_);
        return data()[i];
    }
    const T& operator[](std::size_t i) const {
        WEIR_ASSERT(i < size_);
        return data()[i];
    }

private:
    std::size_t size_ = 0;
    alignas(T) unsigned char bytes_[sizeof(T) * kCapacity];
};

}  // namespace weir::router
