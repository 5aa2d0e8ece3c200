// What lives as long as somebody holds it, found by a name: how breakers, counters and cool-downs
// survive a reload (the new Runtime takes what the old one still holds) and are forgotten once no
// configuration and no call has them. Any thread; for reloads and the API, not for the path of a
// call.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::resilience {

template <class T>
class KeptTable {
public:
    // The one that is held under this name; else what make() returns, a std::shared_ptr<T>.
    template <class Make>
    std::shared_ptr<T> take(std::string_view identity, Make make) {
        const std::lock_guard guard(lock_);
        const auto found = kept_.find(identity);
        if (found != kept_.end()) {
            if (auto held = found->second.lock()) {
                return held;
            }
        }
        sweep();
        std::shared_ptr<T> made = make();
        kept_.insert_or_assign(std::string(identity), made);
        return made;
    }
    // nullptr: nobody holds one.
    std::shared_ptr<T> find(std::string_view identity) const {
        const std::lock_guard guard(lock_);
        const auto found = kept_.find(identity);
        return found == kept_.end() ? nullptr : found->second.lock();
    }
    // All that are held, by name.
    std::vector<std::pair<std::string, std::shared_ptr<T>>> all() const {
        const std::lock_guard guard(lock_);
        std::vector<std::pair<std::string, std::shared_ptr<T>>> held;
        for (const auto& [identity, kept] : kept_) {
            if (auto one = kept.lock()) {
                held.emplace_back(identity, std::move(one));
            }
        }
        return held;
    }
    // Names remembered, held or not yet forgotten.
    std::size_t size() const {
        const std::lock_guard guard(lock_);
        return kept_.size();
    }

private:
    static constexpr std::size_t kFirstSweep = 64;

    // Names of the dead never outnumber those of the living by more than kFirstSweep.
    void sweep() {
        if (kept_.size() >= sweep_at_) {
            std::erase_if(kept_, [](const auto& entry) { return entry.second.expired(); });
            sweep_at_ = 2 * kept_.size() + kFirstSweep;
        }
    }

    mutable std::mutex lock_;
    std::map<std::string, std::weak_ptr<T>, std::less<>> kept_;
    std::size_t sweep_at_ = kFirstSweep;
};

}  // namespace weir::resilience
