// Says to the client of a stream that its call is alive while no provider has begun to answer: the
// head, then a comment (Anthropic: a ping) every so often, so that neither it nor a proxy between
// gives up. Only the status is committed by that: the next attempt may still be made, and a failure
// of the last one is an event in the stream.
//
// Lives in the frame of the attempts. One reactor thread.
#pragma once

#include <chrono>

#include "aio/scope.h"
#include "aio/timer_wheel.h"
#include "pipeline/call.h"

namespace weir::pipeline {

class Pipeline;

class Keepalive {
public:
    // `interval` zero: never says anything.
    Keepalive(Pipeline& pipeline, Call& call, std::chrono::nanoseconds interval);
    Keepalive(const Keepalive&) = delete;

    // Whoever writes to the client next must have waited for this: nothing more is said, and what
    // is on its way is there.
    aio::Maybe<bool> stop();
    bool is_writing() const { return writing_.size() > 0; }

private:
    struct Node : aio::Timer {
        Node() : Timer(&fire) {}
        static void fire(Timer& timer) noexcept;
        Keepalive* owner = nullptr;
    };
    void arm();
    static aio::Task<void> say(Keepalive* self);
    aio::Task<bool> join();

    Pipeline& pipeline_;
    Call& call_;
    const std::chrono::nanoseconds interval_;
    bool is_stopped_ = false;
    Node node_;
    aio::Scope writing_;
};

}  // namespace weir::pipeline
