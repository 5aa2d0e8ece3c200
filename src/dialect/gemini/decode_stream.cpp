// A provider's stream as events. There is no [DONE]: the stream is whole when every candidate has
// said why it stopped and the body ends between two events.
#include "dialect/failure.h"
#include "dialect/gemini/chunk.h"
#include "dialect/gemini/codec.h"

namespace weir::dialect::gemini {
namespace {

class Decoder : public StreamDecoder {
public:
    Result<void> feed(std::string_view bytes, EventSink& sink) override {
        sse_.feed(bytes);
        sse::Event event;
        for (;;) {
            WEIR_TRY(const bool found, sse_.next(event));
            if (!found) {
                return {};
            }
            if (event.kind == sse::Event::Kind::message && !event.data.empty()) {
                const auto chunk = document_.parse(event.data, json::Duplicates::allowed);
                if (!chunk) {
                    return unusable_answer(chunk.error().message());
                }
                WEIR_TRY(reader_.read(*chunk, sink));
            }
        }
    }

    Result<void> end(EventSink& sink) override {
        if (sse_.has_partial()) {
            return unusable_answer("the stream broke off inside an event");
        }
        return reader_.finish(sink);
    }

private:
    sse::Decoder sse_;
    json::Document document_;
    ChunkReader reader_{nullptr};
};

}  // namespace

std::unique_ptr<StreamDecoder> decode_stream(bool) { return std::make_unique<Decoder>(); }

}  // namespace weir::dialect::gemini
