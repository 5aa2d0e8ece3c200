// Configuration text: any bytes end in a snapshot or in a list of errors, never in a crash.
#include <cstdint>
#include <optional>
#include <string>

#include "base/assert.h"
#include "config/snapshot.h"

namespace {

struct Thing {
    std::string name;
    std::int64_t count = 0;
    std::optional<weir::config::Rate> rate;
    std::vector<std::string> words;
};

std::vector<weir::config::Section> sections() {
    using namespace weir::config;
    Object<Thing> object;
    object.required("name", &Thing::name, text(), "a name")
        .field("count", &Thing::count, integer(0, 10), "a count")
        .field("rate", &Thing::rate, optional(rate()), "a rate")
        .field("words", &Thing::words, list(text()), "words");
    return {section<std::vector<Thing>>("things", "things", list(object.type()))};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4096) {
        return 0;
    }
    static const auto all = sections();
    const auto loaded = weir::config::load(
        all, {reinterpret_cast<const char*>(data), size}, "fuzz", [](std::string_view name) {
            return name == "HOME" ? std::optional<std::string>("/home") : std::nullopt;
        });
    WEIR_ASSERT((loaded.snapshot == nullptr) == !loaded.errors.empty());
    return 0;
}
