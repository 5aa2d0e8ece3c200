// What a text leans on: Gemini lists the sources of an answer, and then which of its segments lean
// on which of them.
#include "dialect/gemini/chunk.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

}  // namespace

// Sources are listed once, what leans on them points to their places in the list.
Result<void> ChunkReader::read_grounding(Value metadata, std::uint32_t choice, EventSink& sink) {
    searches_ += static_cast<std::int64_t>(metadata["webSearchQueries"].size());
    auto& sources = choices_[choice].sources;
    for (const Value chunk : metadata["groundingChunks"]) {
        const Value page = chunk["web"] ? chunk["web"] : chunk["retrievedContext"];
        if (sources.size() < kSourcesMax) {
            sources.push_back({page["uri"].string_or(""), page["title"].string_or("")});
        }
    }
    for (const Value support : metadata["groundingSupports"]) {
        const Value segment = support["segment"];
        for (const Value place : support["groundingChunkIndices"]) {
            const auto at = static_cast<std::uint64_t>(place.integer().value_or(-1));
            if (at >= sources.size()) {
                continue;
            }
            WEIR_TRY(cite({.url = sources[at].url,
                           .title = sources[at].title,
                           .cited_text = segment["text"].string_or(""),
                           .start = segment["startIndex"].integer().value_or(0),
                           .end = segment["endIndex"].integer(),
                           .json = {},
                           .of = llm::Dialect::gemini},
                          choice,
                          sink));
        }
    }
    return {};
}

Result<void> ChunkReader::read_citations(Value metadata, std::uint32_t choice, EventSink& sink) {
    const Value sources =
        metadata["citations"] ? metadata["citations"] : metadata["citationSources"];
    for (const Value source : sources) {
        WEIR_TRY(cite({.url = source["uri"].string_or(""),
                       .title = source["title"].string_or(""),
                       .cited_text = {},
                       .start = source["startIndex"].integer().value_or(0),
                       .end = source["endIndex"].integer(),
                       .json = {},
                       .of = llm::Dialect::gemini},
                      choice,
                      sink));
    }
    return {};
}

Result<void> ChunkReader::cite(llm::Citation citation, std::uint32_t choice, EventSink& sink) {
    Choice& state = choices_[choice];
    const bool is_open = state.has_open && state.open_kind == PartKind::text;
    if (!is_open && opaque_ == nullptr) {
        return {};  // the text that it belongs to has ended
    }
    state.has_citations = true;
    if (opaque_ == nullptr || !citation.end) {
        citation.start = citation.end = std::nullopt;
    }
    return sink.take({.kind = Kind::citation,
                      .choice = choice,
                      .part = state.open_part,
                      .part_kind = PartKind::text,
                      .citation = &citation});
}

// Sources that nothing points to are sources of the whole text.
Result<void> ChunkReader::cite_sources(std::uint32_t choice, EventSink& sink) {
    if (choices_[choice].has_citations) {
        return {};
    }
    for (const Source& source : choices_[choice].sources) {
        WEIR_TRY(cite({.url = source.url,
                       .title = source.title,
                       .cited_text = {},
                       .start = {},
                       .end = {},
                       .json = {},
                       .of = llm::Dialect::gemini},
                      choice,
                      sink));
    }
    return {};
}

}  // namespace weir::dialect::gemini
