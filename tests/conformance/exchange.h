// One client of one dialect before one provider of another, without the network between: the steps
// that the pipeline takes (attempt.cpp, answer.cpp, stream.cpp), in its order. Where both speak the
// same dialect the bytes pass, as they do there.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "case_file.h"
#include "dialect/edge.h"
#include "llm/answer.h"
#include "llm/usage.h"
#include "pipeline/pass_relay.h"

namespace weir::conformance {

struct Pair {
    llm::Dialect client;
    llm::Dialect provider;

    bool is_translated() const { return client != provider; }
};

// What the client called the model, and what all answers must call it.
inline constexpr std::string_view kPublicModel = "assistant";
// Ours of the call: ids are made from it where the provider has none.
inline constexpr std::string_view kRequestId = "019a9c1e-7b30-7cc2-9a4e-5d1b2c3e4f50";

struct Answered {
    std::string body;
    llm::Usage usage;
};

struct Streamed {
    std::string body;
    std::optional<Error> error;
    bool committed = false;  // before the error: later the client has a stream, not a status
    bool done = false;       // the terminal was sent
    llm::Usage usage;
};

class Exchange {
public:
    // Whether a client of OpenAI's chat asked for the usage of streams.
    enum class Usage { asked, unasked };
    // The case must outlive it.
    Exchange(Pair pair, const CaseFile& file, Usage usage = Usage::asked);

    // What goes to the provider. Errors: what the client is told instead.
    Result<dialect::EncodedRequest> send(bool streamed) const;
    // The body of a 200. Errors: as the pipeline's attempt has them.
    Result<Answered> answer(std::string_view body) const;
    // A stream that comes in pieces of `piece` bytes, but for the first of `first`.
    Streamed stream(std::string_view body, std::size_t first, std::size_t piece) const;
    // What is billed when the client leaves after that much of a stream.
    llm::Usage used_until(std::string_view body) const;
    // Another status.
    Error refuse(const Section& error) const;

    // What an error says to the client that has no stream yet.
    std::string tell(const Error& error) const;

private:
    dialect::AnswerTerms terms() const;
    std::unique_ptr<pipeline::Relay> make_relay(pipeline::StreamScratch& scratch) const;

    const Pair pair_;
    const CaseFile& case_;
    const Usage usage_;
    const dialect::ClientEdge& client_;
    const dialect::ProviderEdge& provider_;
};

// The request of the case as that client sends it.
std::string request_body(const CaseFile& file, llm::Dialect client, bool streamed);

}  // namespace weir::conformance
