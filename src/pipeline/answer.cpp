// Step 9 for whole answers: judged, screened, written down in the client's dialect.
#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "dialect/openai_chat/vectors.h"
#include "dialect/rewrite.h"
#include "pipeline/pipeline.h"
#include "pipeline/screen.h"

namespace weir::pipeline {

namespace {

bool is_empty(const llm::Answer& answer) {
    return std::all_of(answer.choices.begin(), answer.choices.end(), [](const llm::Choice& choice) {
        return choice.parts.empty() && (choice.finish == llm::FinishReason::none ||
                                        choice.finish == llm::FinishReason::stop);
    });
}

std::uint64_t text_bytes(const llm::Answer& answer) {
    std::uint64_t bytes = 0;
    for (const llm::Choice& choice : answer.choices) {
        for (const llm::Part& part : choice.parts) {
            if (const auto* text = llm::as<llm::Text>(part)) {
                bytes += text->text.size();
            } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
                bytes += call->arguments.size();
            }
        }
    }
    return bytes;
}

}  // namespace

llm::Usage Pipeline::estimate_usage(const Call& call, std::uint64_t text_bytes) {
    return {.input_tokens = call.hold.estimate().input_tokens,
            .output_tokens = estimate_output_tokens(0, text_bytes),
            .estimated = true};
}

// Both sides speak the same dialect: the bytes pass but for what must change.
Result<void> Pipeline::pass_answer(Call& call,
                                   std::string_view body,
                                   dialect::json::Splice& splice) {
    if (call.door.surface == llm::Surface::count_tokens) {
        call.usage = llm::Usage{};  // nothing was said, nothing is owed
        return {};
    }
    if (llm::passes_through(call.door.surface)) {
        return pass_other_answer(call, body, splice);
    }
    const dialect::PassEdge& pass = *dialect::pass_edge(call.door.dialect);
    dialect::AnswerView& view = scratch_.view;
    WEIR_TRY(pass.read_answer(body, scratch_.json, view));
    if (view.error.is_set()) {
        return std::unexpected(
            provider_edge(call).decode_error({.status = dialect::kServerError, .body = body}));
    }
    if (view.is_empty()) {
        return dialect::unusable_answer("the answer holds nothing");
    }
    std::uint64_t bytes = 0;
    for (const auto& output : view.outputs) {
        bytes += output.text.size;
    }
    call.usage = view.usage ? *view.usage : estimate_usage(call, bytes);
    MadeIds ids;
    for (const auto id : view.ids) {
        add_made_id(dialect::json::read_string(id.in(body)), ids.kept);
    }
    for (const auto id : view.file_ids) {
        add_made_id(dialect::json::read_string(id.in(body)), ids.files);
    }
    keep_ids(call, ids);
    if (call.request->wants_base64) {
        return dialect::openai_chat::encode_vectors(
            body, call.public_model(), scratch_.json, splice);
    }
    if (call.runtime().output_rules != nullptr &&
        !may_pass(call.door.dialect, view, body, *call.runtime().output_rules)) {
        if (call.door.surface == llm::Surface::completions) {
            // Nothing else is in such an answer: no part follows a text.
            dialect::rewrite_answer(view,
                                    call.public_model(),
                                    cuts_of(view, body, *call.runtime().output_rules),
                                    splice);
            return {};
        }
        // Seldom: it is taken apart only where something has to go.
        WEIR_TRY(auto answer, provider_edge(call).decode_answer(body));
        screen(answer, *call.runtime().output_rules);
        dialect::AnswerTerms terms = call.answer_terms();
        if (terms.model.empty()) {
            terms.model = call.answer_model();
        }
        splice.replace({0, body.size()}, call.client.encode_answer(answer, terms));
        return {};
    }
    dialect::rewrite_answer(view, call.public_model(), {}, splice);
    return {};
}

Result<void> Pipeline::translate_answer(Call& call,
                                        std::string_view body,
                                        dialect::json::Splice& splice) {
    if (call.door.surface == llm::Surface::embeddings) {
        return translate_vectors(call, body, splice);
    }
    if (call.door.surface == llm::Surface::count_tokens) {
        return translate_count(call, body, splice);
    }
    WEIR_TRY(auto answer, provider_edge(call).decode_answer(body));
    if (is_empty(answer)) {
        return dialect::unusable_answer("the answer holds nothing");
    }
    if (answer.usage) {
        answer.usage = answer.usage->clamped();
    }
    call.usage = answer.usage ? *answer.usage : estimate_usage(call, text_bytes(answer));
    if (call.runtime().output_rules != nullptr) {
        screen(answer, *call.runtime().output_rules);
    }
    splice.replace({0, body.size()}, call.client.encode_answer(answer, call.answer_terms()));
    return {};
}

Result<void> Pipeline::translate_vectors(Call& call,
                                         std::string_view body,
                                         dialect::json::Splice& splice) {
    WEIR_TRY(auto vectors,
             provider_edge(call).decode_embeddings(
                 body, call.answer_model(), call.hold.estimate().input_tokens));
    call.usage = vectors.usage.clamped();
    if (call.request->wants_base64) {
        dialect::json::Splice packed(vectors.body);
        WEIR_TRY(dialect::openai_chat::encode_vectors(vectors.body, {}, scratch_.json, packed));
        vectors.body = packed.str();
    }
    splice.replace({0, body.size()}, std::move(vectors.body));
    return {};
}

aio::Task<Result<void>> Pipeline::relay_answer(Call& call, net::Exchange& exchange) {
    // Most answers come in one piece and are used where they lie; others are gathered.
    const SteadyTime begun = call.attempt.begun + call.attempt.waited;
    if (exchange.head().content_length.value_or(0) > kAnswerBytesMax) {
        co_return dialect::unusable_answer("the answer is too large");  // by its own word
    }
    auto first = co_await exchange.read_body();
    std::string gathered;
    std::string_view body;
    Result<void> read{};
    if (!first) {
        read = std::unexpected(std::move(first).error());
    } else if (exchange.is_complete()) {
        body = *first;
    } else {
        gathered.assign(*first);
        while (!exchange.is_complete()) {
            const auto bytes = co_await exchange.read_body();
            if (!bytes) {
                read = std::unexpected(bytes.error());
                break;
            }
            gathered += *bytes;
            if (gathered.size() > kAnswerBytesMax) {
                read = dialect::unusable_answer("the answer is too large");
                break;
            }
        }
        body = gathered;
    }
    call.attempt.ended = services_.clock.steady_now();
    call.attempt.waited += call.attempt.ended - begun;
    if (!read) {
        if (read.error().code() == Code::cancelled) {
            call.usage =
                llm::Usage{.input_tokens = call.hold.estimate().input_tokens, .estimated = true};
        }
        co_return read;
    }
    dialect::json::Splice splice(body);
    WEIR_CO_TRY(call.way.is_translated ? translate_answer(call, body, splice)
                                       : pass_answer(call, body, splice));
    call.status = 200;
    settle(call);
    pieces_.clear();
    splice.append_pieces(pieces_);
    co_return co_await send_whole(call, 200, "application/json", pieces_);
}

}  // namespace weir::pipeline
