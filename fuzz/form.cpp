// Forms: a cut anywhere changes nothing, and the model's place is where its name stands.
#include <cstdint>
#include <string>

#include "base/assert.h"
#include "dialect/form/scanner.h"

namespace {

using weir::dialect::form::Scanner;

std::string run(std::string_view form, std::size_t cut) {
    Scanner scanner("b");
    weir::Result<void> fed{};
    for (const auto part : {form.substr(0, cut), form.substr(cut)}) {
        const std::string copy(part);
        fed = scanner.feed(copy);
        if (!fed) {
            break;
        }
    }
    if (fed) {
        fed = scanner.end();
    }
    if (scanner.model()) {
        WEIR_ASSERT(scanner.model_span().in(form) == *scanner.model());
    }
    return (fed ? "good" : fed.error().message()) + "|" + scanner.model().value_or("") + "|" +
           std::to_string(scanner.count()) + (scanner.stream() ? "s" : "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::size_t cut_at = data[0] | data[1] << 8;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    WEIR_ASSERT(run(bytes, bytes.size()) == run(bytes, cut_at % (bytes.size() + 1)));
    // The same bytes as a Content-Type: what is read from it can be written and read again.
    if (const auto boundary = weir::dialect::form::boundary_of(bytes)) {
        const auto again =
            weir::dialect::form::boundary_of(weir::dialect::form::content_type_of(*boundary));
        WEIR_ASSERT(again && *again == *boundary);
    }
    return 0;
}
