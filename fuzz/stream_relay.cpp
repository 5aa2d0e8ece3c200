// A provider's stream on its way to the client: a cut anywhere changes nothing, nothing follows the
// terminal event, and a banned word never comes out.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "pipeline/chat_stream_test.h"

namespace {

using namespace weir;

struct Outcome {
    std::string out;
    bool good = true, done = false, committed = false;
    llm::Usage usage;
    bool operator==(const Outcome&) const = default;
};

Outcome run(std::string_view bytes, std::size_t cut, pipeline::ChatTerms terms) {
    pipeline::StreamScratch scratch;
    pipeline::PassRelay relay(terms.pass(), scratch);
    Outcome outcome;
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        const std::string copy(part);
        if (outcome.good && !relay.feed(copy, outcome.out)) {
            outcome.good = false;
        }
    }
    if (outcome.good && !relay.end(outcome.out)) {
        outcome.good = false;
    }
    outcome.done = relay.is_done();
    outcome.committed = relay.is_committed();
    outcome.usage = relay.usage();
    return outcome;
}

// However the provider spelled it: `data:[DONE]` and other lines of its event pass as they came.
bool ends_with_its_only_done(std::string stream) {
    stream += '\n';  // half of a CR LF is no end yet; after a whole one an empty line says nothing
    dialect::sse::Decoder decoder;
    decoder.feed(stream);
    std::size_t dones = 0;
    bool is_last = false;
    dialect::sse::Event event;
    for (;;) {
        const auto found = decoder.next(event);
        WEIR_ASSERT(found.has_value());
        if (!*found) {
            return dones == 1 && is_last;
        }
        is_last = event.kind == dialect::sse::Event::Kind::message && event.data == "[DONE]";
        dones += is_last ? 1 : 0;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) {
        return 0;
    }
    static const auto rules = guardrail::OutputRules::make(
        {.output = {.max_length = 40, .banned_words = {"secret", "two words"}}});
    const pipeline::ChatTerms terms{.public_model = (data[0] & 1) != 0 ? "alias" : "",
                                    .include_usage = (data[0] & 2) != 0,
                                    .choices = 1 + (data[0] >> 4),
                                    .may_omit_done = (data[0] & 4) != 0,
                                    .rules = (data[0] & 8) != 0 ? rules.get() : nullptr};
    const std::size_t cut_at = data[1] | data[2] << 8;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
    const Outcome whole = run(bytes, bytes.size(), terms);
    const Outcome cut = run(bytes, cut_at % (bytes.size() + 1), terms);
    WEIR_ASSERT(whole == cut);
    WEIR_ASSERT(whole.committed || whole.out.empty());
    if (whole.done) {
        WEIR_ASSERT(ends_with_its_only_done(whole.out));
    }
    return 0;
}
