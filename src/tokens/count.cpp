#include "tokens/count.h"

#include "tokens/merge.h"
#include "tokens/split.h"
#include "tokens/utf8.h"
#include "tokens/vocabulary.h"

namespace weir::tokens {
namespace {

// Cut where a character begins, so that the parts are what a splitter could have made.
std::size_t cut_before(std::string_view piece, std::size_t at) {
    while ((static_cast<unsigned char>(piece[at]) & 0xc0) == 0x80) {
        --at;
    }
    return at;
}

}  // namespace

void load(Encoding encoding) {
    Vocabulary::of(encoding);
    CharacterTable::instance();
}

std::int64_t count(Encoding encoding, std::string_view text) {
    std::string repaired;
    Splitter splitter(encoding, valid_utf8(text, repaired));
    Merger merger(Vocabulary::of(encoding));
    std::int64_t total = 0;
    for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) {
        while (piece.size() > kPieceBytesMax) {
            const std::size_t cut = cut_before(piece, kPieceBytesMax);
            total += merger.count(piece.substr(0, cut));
            piece.remove_prefix(cut);
        }
        total += merger.count(piece);
    }
    return total;
}

std::int64_t estimate(std::string_view text) { return (count(Encoding::o200k, text) * 6 + 4) / 5; }

std::int64_t count_chat(Encoding encoding, std::span<const ChatMessage> messages) {
    std::int64_t total = kTokensOfReplyStart;
    for (const ChatMessage& message : messages) {
        total +=
            kTokensPerMessage + count(encoding, message.role) + count(encoding, message.content);
        if (!message.name.empty()) {
            total += kTokensPerName + count(encoding, message.name);
        }
    }
    return total;
}

}  // namespace weir::tokens
