#include "dialect/openai_chat/vectors.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/base64.h"
#include "dialect/failure.h"
#include "dialect/json/value.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Kind;
using json::Span;

static_assert(std::endian::native == std::endian::little);

struct Reader {
    enum Scope : int { kBody = json::kRoot + 1, kData, kItem, kVector };

    std::string_view text;
    std::string_view public_model;
    json::Splice& splice;
    std::string floats;  // of the vector that is open
    bool is_vector = false;
    bool is_bad = false;

    int open(int scope, std::string_view key, Kind kind) {
        const bool object = kind == Kind::object;
        switch (scope) {
            case json::kRoot:
                return object ? int{kBody} : json::kIgnored;
            case kBody:
                return key == "data" && !object ? int{kData} : json::kIgnored;
            case kData:
                return object ? int{kItem} : json::kIgnored;
            case kItem:
                if (key == "embedding" && !object) {
                    floats.clear();
                    is_vector = true;
                    return kVector;
                }
                return json::kIgnored;
            default:
                is_vector = false;  // one vector for each token, say
                return json::kIgnored;
        }
    }

    // Edits are made in the order of the text: a scan meets them so.
    void close(int scope, Span span) {
        if (scope == kVector && is_vector) {
            splice.replace(span, '"' + to_base64(floats, Base64::standard) + '"');
        }
    }

    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        if (scope == kBody && key == "model" && kind == Kind::string && !public_model.empty()) {
            std::string quoted = "\"";
            json::append_escaped(quoted, public_model);
            splice.replace(span, quoted + '"');
        }
        if (scope != kVector) {
            return;
        }
        const std::string_view number = span.in(text);
        double value = 0;
        const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
        if (kind != Kind::number || (read.ec != std::errc{} && !is_tiny(number)) ||
            std::abs(value) > std::numeric_limits<float>::max()) {
            is_bad = is_bad || kind == Kind::number;
            is_vector = is_vector && kind == Kind::number;
            return;
        }
        const auto bytes =
            std::bit_cast<std::array<char, sizeof(float)>>(static_cast<float>(value));
        floats.append(bytes.data(), bytes.size());
    }

    // Out of range, but towards nothing.
    static bool is_tiny(std::string_view number) {
        return number.find("e-") != std::string_view::npos ||
               number.find("E-") != std::string_view::npos;
    }
};

}  // namespace

Result<void> encode_vectors(std::string_view answer,
                            std::string_view public_model,
                            json::Scratch& scratch,
                            json::Splice& splice) {
    Reader reader{.text = answer, .public_model = public_model, .splice = splice, .floats = {}};
    const auto scanned = json::scan(answer, json::Duplicates::allowed, scratch, reader);
    if (!scanned || reader.is_bad) {
        return unusable_answer(scanned ? "a number in a vector is none"
                                       : scanned.error().message());
    }
    return {};
}

}  // namespace weir::dialect::openai_chat
