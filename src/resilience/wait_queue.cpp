#include "resilience/wait_queue.h"

#include "base/assert.h"

namespace weir::resilience {

void WaitQueue::push(Entry& entry) {
    Class& of = class_of(entry.priority_);
    Line& line = of.lines[entry.tenant_];
    if (line.size == 0) {
        if (of.turn == nullptr) {
            of.turn = &line;
        } else {  // the end of the round: before the one whose turn it is
            line.prev = of.turn->prev;
            line.next = of.turn;
            line.prev->next = line.next->prev = &line;
        }
    }
    entry.line_ = &line;
    entry.prev_ = line.last;
    entry.next_ = nullptr;
    (line.last != nullptr ? line.last->next_ : line.first) = &entry;
    line.last = &entry;
    ++line.size;
    ++size_;
}

void WaitQueue::remove(Entry& entry) {
    WEIR_ASSERT(entry.line_ != nullptr);
    Line& line = *entry.line_;
    (entry.prev_ != nullptr ? entry.prev_->next_ : line.first) = entry.next_;
    (entry.next_ != nullptr ? entry.next_->prev_ : line.last) = entry.prev_;
    entry.line_ = nullptr;
    --size_;
    if (--line.size > 0) {
        return;
    }
    Class& of = class_of(entry.priority_);
    if (of.turn == &line) {
        of.turn = line.next == &line ? nullptr : line.next;
    }
    line.prev->next = line.next;
    line.next->prev = line.prev;
    of.lines.erase(entry.tenant_);
    if (of.turn == nullptr) {
        of.passed_over = 0;
    }
}

WaitQueue::Entry* WaitQueue::pop() {
    if (size_ == 0) {
        return nullptr;
    }
    const std::size_t chosen = choose_class();
    classes_[chosen].passed_over = 0;
    for (std::size_t lower = chosen + 1; lower < kPriorities; ++lower) {
        classes_[lower].passed_over += classes_[lower].turn != nullptr ? 1 : 0;
    }
    Line& line = *classes_[chosen].turn;
    classes_[chosen].turn = line.next;
    Entry* entry = line.first;
    remove(*entry);
    return entry;
}

std::size_t WaitQueue::choose_class() const {
    std::size_t chosen = kPriorities;
    for (std::size_t i = 0; i < kPriorities; ++i) {
        if (classes_[i].turn == nullptr) {
            continue;
        }
        if (classes_[i].passed_over >= kPassedOverMax) {
            return i;
        }
        chosen = chosen == kPriorities ? i : chosen;
    }
    return chosen;
}

WaitQueue::Entry* WaitQueue::displace_for(Priority priority, TenantId tenant) {
    const auto own = static_cast<std::size_t>(priority);
    for (std::size_t lower = kPriorities - 1; lower > own; --lower) {
        if (Line* turn = classes_[lower].turn; turn != nullptr) {
            Entry* entry = turn->prev->last;
            remove(*entry);
            return entry;
        }
    }
    Class& of = classes_[own];
    if (of.turn == nullptr) {
        return nullptr;
    }
    Line* longest = of.turn;
    Line* line = of.turn->next;
    for (std::size_t i = 1; i < kLinesCompared && line != of.turn; ++i, line = line->next) {
        longest = line->size > longest->size ? line : longest;
    }
    const auto mine = of.lines.find(tenant);
    const std::size_t mine_size = mine == of.lines.end() ? 0 : mine->second.size;
    // With two more, both have the same afterwards or it still has more.
    if (longest->size < mine_size + 2) {
        return nullptr;
    }
    Entry* entry = longest->last;
    remove(*entry);
    return entry;
}

}  // namespace weir::resilience
