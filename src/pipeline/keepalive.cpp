#include "pipeline/keepalive.h"

#include "aio/reactor.h"
#include "net/http_body.h"
#include "net/http_encode.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {
namespace {

std::string_view words_for(const Call& call) {
    if (call.door.as_json_array) {
        return "\n";  // before the array's bracket
    }
    return call.door.dialect == llm::Dialect::anthropic
               ? std::string_view("event: ping\ndata: {\"type\":\"ping\"}\n\n")
               : std::string_view(": keepalive\n\n");
}

}  // namespace

Keepalive::Keepalive(Pipeline& pipeline, Call& call, std::chrono::nanoseconds interval)
    : pipeline_(pipeline), call_(call), interval_(interval) {
    if (interval_.count() > 0) {
        node_.owner = this;
        arm();
    }
}

void Keepalive::arm() {
    aio::Reactor& reactor = aio::Reactor::current();
    reactor.timers().arm(node_, reactor.now() + interval_);
}

void Keepalive::Node::fire(Timer& timer) noexcept {
    Keepalive* const self = static_cast<Node&>(timer).owner;
    self->writing_.spawn(say(self));
}

aio::Task<void> Keepalive::say(Keepalive* self) {
    if (self->is_stopped_) {
        co_return;
    }
    if (co_await self->pipeline_.say_alive(self->call_, words_for(self->call_)) &&
        !self->is_stopped_) {
        self->arm();
    }
}

aio::Maybe<bool> Keepalive::stop() {
    is_stopped_ = true;
    node_.disarm();
    if (writing_.size() == 0) {
        return true;
    }
    return join();
}

aio::Task<bool> Keepalive::join() {
    co_await writing_.join();
    co_return true;
}

}  // namespace weir::pipeline
