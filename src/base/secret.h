// Text that cannot be printed, compared or copied by accident: no formatter, no <<, no ==. The
// bytes are overwritten when it dies. `reveal()` is the one way out and stands only where a wire
// needs the bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace weir {

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret& operator=(const Secret& other) {
        if (this != &other) {
            wipe();
            value_ = other.value_;
        }
        return *this;
    }
    Secret(Secret&& other) noexcept : value_(other.value_) { other.wipe(); }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            wipe();
            value_ = other.value_;
            other.wipe();
        }
        return *this;
    }
    ~Secret() { wipe(); }

    std::string_view reveal() const { return value_; }
    bool empty() const { return value_.empty(); }
    bool operator==(const Secret&) const = delete;

private:
    void wipe() {
        for (char& byte : value_) {
            *const_cast<volatile char*>(&byte) = 0;
        }
        value_.clear();
    }
    std::string value_;
};

}  // namespace weir
