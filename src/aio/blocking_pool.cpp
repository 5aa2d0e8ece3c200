#include "aio/blocking_pool.h"

#include <pthread.h>

namespace weir::aio {

BlockingPool::BlockingPool(std::string name, unsigned threads, std::size_t queue_max)
    : name_(std::move(name)), queue_max_(queue_max) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { work_loop(); });
        const std::string thread_name = (name_ + "-" + std::to_string(i)).substr(0, 15);
        ::pthread_setname_np(threads_.back().native_handle(), thread_name.c_str());
    }
}

BlockingPool::~BlockingPool() { stop(); }

bool BlockingPool::submit(std::move_only_function<void()> work) {
    {
        const std::lock_guard guard(lock_);
        if (stopping_ || queue_.size() >= queue_max_) {
            return false;
        }
        queue_.push_back(std::move(work));
    }
    wakeup_.notify_one();
    return true;
}

void BlockingPool::stop() {
    {
        const std::lock_guard guard(lock_);
        stopping_ = true;
    }
    wakeup_.notify_all();
    for (auto& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

void BlockingPool::work_loop() {
    for (;;) {
        std::move_only_function<void()> work;
        {
            std::unique_lock guard(lock_);
            wakeup_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) {
                return;
            }
            work = std::move(queue_.front());
            queue_.pop_front();
        }
        work();
    }
}

void BlockingPool::JobState::finish() {
    done = true;
    if (WaitForJob* wait = waiting) {
        waiting = nullptr;
        wait->timer_.disarm();
        complete(*wait, Wake::ready);
    }
}

}  // namespace weir::aio
