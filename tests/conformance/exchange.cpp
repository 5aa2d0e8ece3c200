#include "exchange.h"

#include <charconv>

#include "dialect/check.h"
#include "dialect/failure.h"
#include "dialect/rewrite.h"
#include "pipeline/translating_relay.h"

namespace weir::conformance {
namespace {

using llm::Dialect;

constexpr std::int64_t kCreated = 1'763'719'260;
constexpr std::int64_t kOutputTokensMax = 64'000;
constexpr std::int64_t kInputTokensEstimate = 100;
// The status that a provider would have used, had it not spent it on 200.
constexpr int kServerError = 500;

// The provider's model, unless the case names another.
std::string_view usual_model(Dialect provider) {
    switch (provider) {
        case Dialect::openai_chat:
        case Dialect::openai_responses:
            return "gpt-4.1-mini";
        case Dialect::anthropic:
        case Dialect::bedrock:
            return "claude-sonnet-4-5";
        case Dialect::gemini:
            return "gemini-2.5-flash";
    }
    std::unreachable();
}

std::string_view model_of(const CaseFile& file, Dialect provider) {
    const Section* target = file.find("target", provider);
    return target == nullptr ? usual_model(provider) : target->option("model");
}

dialect::RequestPath path_of(Dialect client, bool streamed) {
    dialect::RequestPath path{.surface = llm::surface_of(client)};
    if (client == Dialect::gemini) {
        path.model = kPublicModel;
        path.stream = streamed;
    }
    return path;
}

int number_of(std::string_view text) {
    int number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

std::string request_body(const CaseFile& file, Dialect client, bool streamed) {
    const Section* section = file.find("request", client);
    std::string body = section == nullptr ? std::string{} : section->body;
    const auto brace = body.find('{');
    if (!streamed || client == Dialect::gemini || brace == std::string::npos) {
        return body;  // Gemini says it in the path
    }
    return body.insert(brace + 1,
                       client == Dialect::openai_chat
                           ? R"("stream":true,"stream_options":{"include_usage":true},)"
                           : R"("stream":true,)");
}

Exchange::Exchange(Pair pair, const CaseFile& file, Usage usage)
    : pair_(pair),
      case_(file),
      usage_(usage),
      client_(*dialect::client_edge(pair.client)),
      provider_(dialect::provider_edge(pair.provider)) {}

dialect::AnswerTerms Exchange::terms() const {
    return {.model = kPublicModel,
            .request_id = kRequestId,
            .created = kCreated,
            .include_usage = usage_ == Usage::asked};
}

Result<dialect::EncodedRequest> Exchange::send(bool streamed) const {
    const std::string body = request_body(case_, pair_.client, streamed);
    dialect::json::Scratch scratch;
    WEIR_TRY(const auto request,
             client_.read_request(path_of(pair_.client, streamed), body, scratch));
    if (!pair_.is_translated()) {
        dialect::json::Splice splice(body);
        dialect::rewrite(request, model_of(case_, pair_.provider), splice);
        return dialect::EncodedRequest{.body = splice.str(), .dropped = {}};
    }
    WEIR_TRY(const llm::Call call, client_.decode_request(request, body));
    WEIR_TRY(dialect::check(call));
    return provider_.encode_request(call,
                                    {.model = model_of(case_, pair_.provider),
                                     .provider = "upstream",
                                     .output_tokens_max = kOutputTokensMax});
}

Result<Answered> Exchange::answer(std::string_view body) const {
    if (pair_.is_translated()) {
        WEIR_TRY(auto answer, provider_.decode_answer(body));
        if (answer.usage) {
            answer.usage = answer.usage->clamped();
        }
        return Answered{.body = client_.encode_answer(answer, terms()),
                        .usage = answer.usage.value_or(llm::Usage{.estimated = true})};
    }
    dialect::json::Scratch scratch;
    dialect::AnswerView view;
    WEIR_TRY(dialect::pass_edge(pair_.client)->read_answer(body, scratch, view));
    if (view.error.is_set()) {
        return std::unexpected(provider_.decode_error({.status = kServerError, .body = body}));
    }
    if (view.is_empty()) {
        return dialect::unusable_answer("the answer holds nothing");
    }
    dialect::json::Splice splice(body);
    dialect::rewrite_answer(view, kPublicModel, {}, splice);
    return Answered{.body = splice.str(),
                    .usage = view.usage.value_or(llm::Usage{.estimated = true})};
}

std::unique_ptr<pipeline::Relay> Exchange::make_relay(pipeline::StreamScratch& scratch) const {
    if (pair_.is_translated()) {
        return std::make_unique<pipeline::TranslatingRelay>(
            pipeline::TranslationTerms{.client = client_,
                                       .provider = provider_,
                                       .answer = terms(),
                                       .input_tokens_estimate = kInputTokensEstimate});
    }
    return std::make_unique<pipeline::PassRelay>(
        pipeline::PassTerms{.pass = *dialect::pass_edge(pair_.client),
                            .client = client_,
                            .provider = provider_,
                            .answer = terms(),
                            .request_id = kRequestId,
                            .input_tokens_estimate = kInputTokensEstimate},
        scratch);
}

llm::Usage Exchange::used_until(std::string_view body) const {
    pipeline::StreamScratch scratch;
    const auto relay = make_relay(scratch);
    std::string out;
    const auto taken = relay->feed(body, out);
    WEIR_ASSERT(taken.has_value());
    return relay->usage();
}

Streamed Exchange::stream(std::string_view body, std::size_t first, std::size_t piece) const {
    pipeline::StreamScratch scratch;
    const auto relay = make_relay(scratch);
    Streamed streamed;
    Result<void> taken{};
    for (std::size_t at = 0; at < body.size() && taken && !relay->is_done();) {
        const std::size_t size = at == 0 ? first : piece;
        // Its own memory, so that a look behind its end is found out.
        const std::string bytes(body.substr(at, size));
        taken = relay->feed(bytes, streamed.body);
        at += bytes.size();
    }
    if (taken) {
        taken = relay->end(streamed.body);
    }
    streamed.committed = relay->is_committed();
    streamed.usage = relay->usage();
    if (!taken) {
        streamed.error = std::move(taken).error();
        if (streamed.committed) {
            relay->fail(*streamed.error, streamed.body);
        }
    }
    streamed.done = relay->is_done();
    return streamed;
}

Error Exchange::refuse(const Section& error) const {
    dialect::Refusal refusal{.status = number_of(error.option("status")), .body = error.body};
    if (const auto wait = error.option("retry_after_ms"); !wait.empty()) {
        refusal.retry_after = std::chrono::milliseconds(number_of(wait));
    }
    return provider_.decode_error(refusal);
}

std::string Exchange::tell(const Error& error) const {
    return client_.encode_error(error, kRequestId);
}

}  // namespace weir::conformance
