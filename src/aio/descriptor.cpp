#include "aio/descriptor.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"

namespace weir::aio {

Descriptor::Descriptor(int fd, Holders holders) : fd_(fd), holders_(holders) {
    Reactor::current().add(fd, *this);
}

Descriptor::~Descriptor() {
    WEIR_ASSERT(read_.waiting == nullptr && write_.waiting == nullptr);
    if (holders_ == Holders::several) {
        Reactor::current().remove(fd_);
    }
    ::close(fd_);
}

bool Descriptor::enlist(Wait& wait) noexcept {
    Side& side = this->side(wait.direction_);
    WEIR_ASSERT(side.waiting == nullptr);
    side.waiting = &wait;
    const SteadyTime time = wait.deadline_.time();
    if (time != SteadyTime::max() && (!side.is_armed() || side.expiry() > time)) {
        Reactor::current().timers().arm(side, time);
    }
    return true;
}

void Descriptor::Side::fire(Timer& timer) noexcept {
    Side& side = static_cast<Side&>(timer);
    Wait* wait = side.waiting;
    if (wait == nullptr) {
        return;
    }
    Reactor& reactor = Reactor::current();
    if (wait->deadline_.has_passed(reactor.now())) {
        side.waiting = nullptr;
        complete(*wait, Wake::timed_out);
    } else if (wait->deadline_.time() != SteadyTime::max()) {
        reactor.timers().arm(side, wait->deadline_.time());
    }
}

void Descriptor::on_ready(Side& side) noexcept {
    side.ready = true;
    if (Wait* wait = side.waiting) {
        side.waiting = nullptr;
        complete(*wait, Wake::ready);
    }
}

void Descriptor::on_events(std::uint32_t events) noexcept {
    constexpr std::uint32_t kGone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((events & kGone) != 0) {
        hung_up_ = true;
    }
    if ((events & (EPOLLIN | kGone)) != 0) {
        on_ready(read_);
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        on_ready(write_);
    }
    if (hung_up_ && watching_ != nullptr) {
        Context* context = watching_;
        watching_ = nullptr;
        context->cancel();
    }
}

void Descriptor::cancel_on_hang_up(Context* context) {
    watching_ = context;
    if (context != nullptr && hung_up_) {
        watching_ = nullptr;
        context->cancel();
    }
}

}  // namespace weir::aio
