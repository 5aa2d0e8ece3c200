// The order in which waiting calls are served. Pure: no clock, no lock (its owner has one).
//
// Between classes: high before normal before low, but a class that waits is passed over at most
// kPassedOverMax times in a row. Within a class: tenants in turn, so that one with a thousand calls
// waiting delays another by one place. Within a tenant: first come, first served.
//
// A full queue takes a newcomer in the place of somebody it is unfair to keep: the newest of a
// lower class, or the newest of a tenant that has more waiting.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace weir::resilience {

enum class Priority : std::uint8_t { high, normal, low };
inline constexpr std::size_t kPriorities = 3;

using TenantId = std::int64_t;

// What a lower class gets of a gateway that has too much of a higher one: one place of seventeen.
inline constexpr std::uint32_t kPassedOverMax = 16;
// Of how many tenants the longest line is looked for when the queue is full.
inline constexpr std::size_t kLinesCompared = 16;

class WaitQueue {
    struct Line;

public:
    // Somebody who waits; lives with its owner.
    class Entry {
    public:
        Entry(Priority priority, TenantId tenant) : priority_(priority), tenant_(tenant) {}
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

    protected:
        ~Entry() = default;

    private:
        friend class WaitQueue;
        Priority priority_;
        TenantId tenant_;
        Line* line_ = nullptr;
        Entry* prev_ = nullptr;
        Entry* next_ = nullptr;
    };

    std::size_t size() const { return size_; }
    void push(Entry& entry);
    // `entry` is in the queue: it leaves before its turn.
    void remove(Entry& entry);
    // Takes out who is next; nullptr: nobody waits.
    Entry* pop();
    // Takes out who has to make room for a newcomer; nullptr: nobody, the newcomer has to go.
    Entry* displace_for(Priority priority, TenantId tenant);

private:
    // The calls of one tenant in one class; lines form a ring.
    struct Line {
        Line* prev = this;
        Line* next = this;
        Entry* first = nullptr;
        Entry* last = nullptr;
        std::size_t size = 0;
    };
    struct Class {
        std::unordered_map<TenantId, Line> lines;
        Line* turn = nullptr;  // whose turn it is; nullptr: nobody waits
        std::uint32_t passed_over = 0;
    };

    Class& class_of(Priority priority) { return classes_[static_cast<std::size_t>(priority)]; }
    std::size_t choose_class() const;

    std::array<Class, kPriorities> classes_;
    std::size_t size_ = 0;
};

}  // namespace weir::resilience
