// Bedrock's streams: a cut anywhere changes nothing, neither the frames nor the events; what is
// told is a stream as llm/event.h says. Whole answers and refusals of any bytes are survived.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "dialect/aws/event_stream.h"
#include "dialect/bedrock/edge.h"
#include "dialect/bedrock/stream_test_sink.h"

namespace {

using namespace weir::dialect;

bedrock::Streamed run(std::string_view bytes, std::size_t cut) {
    const auto decoder = bedrock::provider.decode_stream(false);
    bedrock::Recorder sink;
    weir::Result<void> result{};
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        const std::string copy(part);  // dies before the next comes
        if (result) {
            result = decoder->feed(copy, sink);
        }
    }
    if (result) {
        result = decoder->end(sink);
    }
    WEIR_ASSERT(sink.fault.empty());
    WEIR_ASSERT(!result || sink.ended);
    return {.said = sink.said, .error = result ? "" : result.error().detail()};
}

// Lines "event json" made into frames: a fuzzer finds no checksum by itself.
std::string framed(std::string_view lines) {
    std::string bytes;
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        const std::string_view type = line.substr(0, std::min<std::size_t>(line.find(' '), 255));
        const std::string_view json =
            type.size() == line.size() ? std::string_view{} : line.substr(type.size() + 1);
        if (type.ends_with("Exception")) {
            aws::append_exception(bytes, type, json);
        } else {
            aws::append_event(bytes, type, json);
        }
    }
    return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) {
        return 0;
    }
    const std::size_t cut_at = data[0] | data[1] << 8;
    const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::string made = framed(input);
    for (const std::string_view bytes : {input, std::string_view(made)}) {
        WEIR_ASSERT(run(bytes, bytes.size()) == run(bytes, cut_at % (bytes.size() + 1)));
    }
    static_cast<void>(bedrock::provider.decode_answer(input));
    static_cast<void>(bedrock::provider.decode_error({.status = 400, .body = input}));
    return 0;
}
