#include "dialect/sequencer.h"

#include "dialect/failure.h"

namespace weir::dialect {
namespace {

using Kind = llm::Event::Kind;

bool belongs_to_part(Kind kind) {
    switch (kind) {
        case Kind::part_begin:
        case Kind::delta:
        case Kind::signature:
        case Kind::citation:
        case Kind::part_end:
            return true;
        case Kind::start:
        case Kind::finish:
        case Kind::usage:
        case Kind::end:
            return false;
    }
    std::unreachable();
}

}  // namespace

Result<void> Sequencer::take(const llm::Event& event, EventSink& sink) {
    if (belongs_to_part(event.kind)) {
        if (has_open_ && event.part != open_part_) {
            return hold(event);
        }
        WEIR_TRY(pass(event, sink));
        return has_open_ ? Result<void>{} : release(sink);
    }
    if (event.kind == Kind::finish) {
        // A provider may leave the ends of its parts to be understood.
        while (has_open_) {
            WEIR_TRY(
                pass({.kind = Kind::part_end, .choice = event.choice, .part = open_part_}, sink));
            WEIR_TRY(release(sink));
        }
    }
    return sink.take(event);
}

Result<void> Sequencer::pass(const llm::Event& event, EventSink& sink) {
    if (event.kind == Kind::part_begin) {
        has_open_ = true;
        open_part_ = event.part;
    } else if (event.kind == Kind::part_end) {
        has_open_ = false;
    }
    return sink.take(event);
}

Result<void> Sequencer::hold(const llm::Event& event) {
    auto held = std::make_unique<Waiting>();
    held->event = event;
    std::string& words = held->words;
    words.reserve(event.text.size() + event.logprobs.size() + event.id.size() + event.name.size() +
                  event.mime.size() + event.signature.size());
    const auto keep = [&words](std::string_view& view) {
        const std::size_t at = words.size();
        words += view;  // never reallocates: all was reserved
        view = std::string_view(words).substr(at);
    };
    keep(held->event.text);
    keep(held->event.logprobs);
    keep(held->event.id);
    keep(held->event.name);
    keep(held->event.mime);
    keep(held->event.signature);
    if (event.citation != nullptr) {
        held->citation = *event.citation;
        held->event.citation = &held->citation;
    }
    waiting_bytes_ += words.size() + sizeof(Waiting);
    if (waiting_bytes_ > kSequencedBytesMax) {
        return unusable_answer("too much of an answer lies side by side");
    }
    waiting_.push_back(std::move(held));
    return {};
}

// The part that was open has ended: the one that waits longest goes on, until it ends or no more of
// it is there.
Result<void> Sequencer::release(EventSink& sink) {
    while (!has_open_ && !waiting_.empty()) {
        const std::uint32_t part = waiting_.front()->event.part;
        std::vector<std::unique_ptr<Waiting>> rest;
        for (auto& held : waiting_) {
            if (held->event.part != part) {
                rest.push_back(std::move(held));
                continue;
            }
            waiting_bytes_ -= held->words.size() + sizeof(Waiting);
            WEIR_TRY(pass(held->event, sink));
        }
        waiting_ = std::move(rest);
    }
    return {};
}

}  // namespace weir::dialect
