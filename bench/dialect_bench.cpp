// Reading a request, an answer and a chunk: the whole body is validated, the few fields are found.
#include <benchmark/benchmark.h>

#include "dialect/openai_chat/edge.h"
#include "dialect/openai_chat/request.h"

namespace weir::dialect::openai_chat {
namespace {

void decode_request(benchmark::State& state) {
    std::string body =
        R"({"model":"gpt-4o-mini","temperature":0.7,"messages":[{"role":"user","content":")";
    while (body.size() < static_cast<std::size_t>(state.range(0))) {
        body += "the quick brown fox jumps over the lazy dog and ";
    }
    body += "\"}]}";
    json::Scratch scratch;
    for (auto _ : state) {
        benchmark::DoNotOptimize(read_request({}, body, scratch));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(body.size()) * state.iterations());
}
BENCHMARK(decode_request)->Arg(1500)->Arg(16 << 10)->Arg(256 << 10);

void decode_chunk(benchmark::State& state) {
    const std::string_view chunk =
        R"({"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" a few more words"},"logprobs":null,"finish_reason":null}],"usage":null})";
    json::Scratch scratch;
    AnswerView answer;
    for (auto _ : state) {
        benchmark::DoNotOptimize(pass.read_answer(chunk, scratch, answer));
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(chunk.size()) * state.iterations());
}
BENCHMARK(decode_chunk);

}  // namespace
}  // namespace weir::dialect::openai_chat
