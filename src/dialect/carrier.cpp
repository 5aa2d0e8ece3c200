#include "dialect/carrier.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/base64.h"
#include "base/byte_blocks.h"
#include "base/text.h"

namespace weir::dialect {
namespace {

constexpr std::string_view kIdMark = "-weir-sig-";
constexpr std::string_view kFieldMark = "weir-sig:";
// The same in base64, of either alphabet: three bytes are four characters.
constexpr std::string_view kFieldMarkBase64 = "d2Vpci1zaWc6";
static_assert(kFieldMark.size() % 3 == 0 && kFieldMarkBase64.size() == kFieldMark.size() / 3 * 4);

// One letter each: they stand in ids that clients log and store.
constexpr std::array<char, llm::kDialectCount> kLetters = {'c', 'r', 'a', 'g', 'b'};

char letter_of(llm::Dialect dialect) { return kLetters[static_cast<std::size_t>(dialect)]; }

std::optional<llm::Dialect> dialect_of(char letter) {
    for (std::size_t i = 0; i < kLetters.size(); ++i) {
        if (kLetters[i] == letter) {
            return static_cast<llm::Dialect>(i);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string carry_in_id(std::string_view id, const llm::Signature& signature) {
    std::string carried(id);
    if (!signature.text.empty()) {
        carried += kIdMark;
        carried += letter_of(signature.of);
        carried += '-';
        carried += to_base64(signature.text, Base64::url);
    }
    return carried;
}

CarriedId read_carried_id(std::string_view id) {
    const std::size_t mark = id.find(kIdMark);
    if (mark == std::string_view::npos) {
        return {.id = id, .signature = {}};
    }
    const std::string_view rest = id.substr(mark + kIdMark.size());
    if (rest.size() < 2 || rest[1] != '-') {
        return {.id = id, .signature = {}};
    }
    const auto dialect = dialect_of(rest[0]);
    auto text = from_base64(rest.substr(2), Base64::url);
    if (!dialect || !text || !is_utf8(*text)) {
        return {.id = id, .signature = {}};
    }
    return {.id = id.substr(0, mark), .signature = {.text = std::move(*text), .of = *dialect}};
}

std::string carry_in_field(const llm::Signature& signature, llm::Dialect field_of) {
    if (signature.of == field_of) {
        return signature.text;
    }
    std::string marked(kFieldMark);
    marked += letter_of(signature.of);
    marked += ':';
    marked += signature.text;
    return to_base64(marked, Base64::standard);
}

llm::Signature read_carried_field(std::string_view field, llm::Dialect field_of) {
    llm::Signature own{.text = std::string(field), .of = field_of};
    // Looks at the first characters before it decodes kilobytes that are no mark of ours.
    constexpr std::size_t kMarkBytes = kFieldMark.size() + 2;
    constexpr std::size_t kMarkCharacters = (kMarkBytes + 2) / 3 * 4;
    if (field.size() < kMarkCharacters || !field.starts_with(kFieldMarkBase64)) {
        return own;
    }
    const auto marked = from_base64(field, Base64::standard);
    if (!marked || marked->size() < kMarkBytes || (*marked)[kMarkBytes - 1] != ':') {
        return own;
    }
    const auto dialect = dialect_of((*marked)[kFieldMark.size()]);
    if (!dialect || !is_utf8(*marked)) {
        return own;
    }
    return {.text = marked->substr(kMarkBytes), .of = *dialect};
}

// Every body is searched: by blocks, for two bytes of each mark that seldom stand so far apart.
bool may_carry(std::string_view body) {
    constexpr std::size_t kDash = 5, kDigit = 1;
    static_assert(kIdMark[0] == '-' && kIdMark[kDash] == '-' && kFieldMarkBase64[kDigit] == '2');
    constexpr std::size_t kLookAhead = std::max(kDash, kDigit + 1);
    const Block dash = _mm_set1_epi8('-');
    const Block quote = _mm_set1_epi8('"');
    const Block digit = _mm_set1_epi8('2');
    const auto is_mark = [body](std::size_t at) {
        const std::string_view rest = body.substr(at);
        return rest.starts_with(kIdMark) || rest.substr(1).starts_with(kFieldMarkBase64);
    };
    std::size_t at = 0;
    for (; at + kBlockBytes + kLookAhead <= body.size(); at += kBlockBytes) {
        const Block here = load_block(body.data() + at);
        const Block ids = _mm_and_si128(_mm_cmpeq_epi8(here, dash),
                                        _mm_cmpeq_epi8(load_block(body.data() + at + kDash), dash));
        const Block fields =
            _mm_and_si128(_mm_cmpeq_epi8(here, quote),
                          _mm_cmpeq_epi8(load_block(body.data() + at + 1 + kDigit), digit));
        for (unsigned found = bits_of(_mm_or_si128(ids, fields)); found != 0; found &= found - 1) {
            if (is_mark(at + static_cast<std::size_t>(std::countr_zero(found)))) {
                return true;
            }
        }
    }
    for (; at < body.size(); ++at) {
        if (is_mark(at)) {
            return true;
        }
    }
    return false;
}

bool carries_foreign(const llm::Call& call, llm::Dialect own) {
    const auto is_foreign = [&](const llm::Signature& signature) {
        return !signature.text.empty() && signature.of != own;
    };
    // These two look for the signature of every thought; Gemini takes thoughts without, and in
    // OpenAI's chat there is no field for one.
    const bool asks_for_seals =
        own == llm::Dialect::anthropic || own == llm::Dialect::openai_responses;
    const auto is_refused = [&](const llm::Part& part) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            return is_foreign(text->signature);
        }
        if (const auto* tool = llm::as<llm::ToolCall>(part)) {
            return is_foreign(tool->signature);
        }
        const auto* thought = llm::as<llm::Reasoning>(part);
        return thought != nullptr && own != llm::Dialect::openai_chat &&
               (asks_for_seals ? thought->signature.of != own : is_foreign(thought->signature));
    };
    return std::any_of(
        call.messages.begin(), call.messages.end(), [&](const llm::Message& message) {
            return std::any_of(message.parts.begin(), message.parts.end(), is_refused);
        });
}

}  // namespace weir::dialect
