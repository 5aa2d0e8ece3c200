// Bodies and queries of the admin API: never a throw; what is taken has known fields only, and can
// be written as an answer.
#include <cstdint>

#include "admin/fields.h"
#include "base/assert.h"
#include "base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weir::admin;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const std::vector<std::string_view> known = {"a", "name", "tags", "limit", "expires_at"};
    if (const auto object = read_object(text, known)) {
        for (const char* key : {"a", "name", "tags", "limit", "expires_at"}) {
            static_cast<void>(text_field(*object, key).has_value());
            static_cast<void>(flag_field(*object, key).has_value());
            static_cast<void>(number_field(*object, key, 1, 1000).has_value());
            static_cast<void>(texts_field(*object, key).has_value());
            static_cast<void>(time_field(*object, key).has_value());
        }
        WEIR_ASSERT(read_object(write(*object), known).has_value());
    }
    if (const auto query = read_query(text, known)) {
        for (const auto& [name, value] : *query) {
            WEIR_ASSERT(weir::is_utf8(name) && weir::is_utf8(value));
            WEIR_ASSERT(find(*query, name) == value);
            static_cast<void>(number_of(*query, name, 1, 1000).has_value());
            static_cast<void>(time_of(*query, name).has_value());
        }
    }
    return 0;
}
