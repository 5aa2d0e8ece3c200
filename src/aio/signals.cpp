#include "aio/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "base/assert.h"

namespace weir::aio {
namespace {

sigset_t set_of(std::initializer_list<int> signals) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : signals) {
        ::sigaddset(&set, signal);
    }
    return set;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
    const sigset_t set = set_of(signals);
    WEIR_ASSERT(::pthread_sigmask(SIG_BLOCK, &set, nullptr) == 0);
    // A peer that leaves is a return value of send, never a signal.
    WEIR_ASSERT(::signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

Signals::Signals(std::initializer_list<int> signals) {
    const sigset_t set = set_of(signals);
    const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    WEIR_ASSERT(fd >= 0);
    descriptor_ = std::make_unique<Descriptor>(fd);
}

Task<int> Signals::next() {
    for (;;) {
        signalfd_siginfo info{};
        if (::read(descriptor_->fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
            co_return static_cast<int>(info.ssi_signo);
        }
        descriptor_->clear_ready(Direction::read);
        const Wake wake = co_await descriptor_->wait(Direction::read, Deadline::never());
        if (wake != Wake::ready) {
            co_return 0;
        }
    }
}

}  // namespace weir::aio
