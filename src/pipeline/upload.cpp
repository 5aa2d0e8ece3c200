// Uploads: read as far as they must be, and sent on.
#include "pipeline/upload.h"

#include <fmt/format.h>

#include "net/http_body.h"
#include "net/http_encode.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {
namespace {

constexpr std::string_view kLastChunk = "0\r\n\r\n";

// The next bytes of the upload, judged: nothing leaves here that the scanner has not seen.
aio::Task<Result<std::string_view>> read_part(net::ServerCall& http, Upload& upload) {
    const auto part = co_await http.read_body_part();
    if (!part) {
        co_return std::unexpected(part.error());
    }
    upload.bytes += part->size();
    if (upload.bytes > kUploadBytesMax) {
        co_return fail(
            Code::payload_too_large,
            fmt::format("The upload is larger than the {} bytes allowed here.", kUploadBytesMax));
    }
    WEIR_CO_TRY(upload.scanner.feed(*part));
    if (http.body_is_complete()) {
        WEIR_CO_TRY(upload.scanner.end());
    }
    co_return *part;
}

}  // namespace

aio::Task<Result<void>> Pipeline::read_upload(Call& call) {
    Upload& upload = *call.upload;
    for (;;) {
        WEIR_CO_TRY(const auto part, co_await read_part(call.http, upload));
        upload.held += part;
        if (call.http.body_is_complete()) {
            upload.is_whole = true;
            co_return Result<void>{};
        }
        if (upload.held.size() >= kUploadHeldBytes && upload.scanner.model()) {
            co_return Result<void>{};
        }
    }
}

void Pipeline::append_body_fields(const Call& call, std::size_t bytes, std::string& head) {
    if (llm::passes_through(call.door.surface)) {
        net::append_field(head,
                          "content-type",
                          call.upload
                              ? dialect::form::content_type_of(call.upload->scanner.boundary())
                              : "application/json");
    }
    std::uint64_t rest = 0;
    if (call.upload && !call.upload->is_whole) {
        const net::RequestHead& asked = call.http.head();
        if (asked.is_chunked) {
            net::append_field(head, "transfer-encoding", "chunked");
            return;
        }
        rest = asked.content_length.value_or(0) - call.upload->held.size();
    }
    net::append_field(head, "content-length", rest + bytes);
}

// `request`: the head, and what is held of the body.
aio::Task<Result<void>> Pipeline::send_upload(Call& call,
                                              net::Exchange& exchange,
                                              net::Pieces request,
                                              const net::Timing& timing) {
    const bool is_chunked = call.http.head().is_chunked;
    char size_line[net::kChunkHeadBytesMax];
    // Both framings at once: pieces that one of them does not need are empty.
    const auto size_of = [&](std::size_t bytes) {
        return is_chunked ? std::string_view(size_line, net::write_chunk_head(bytes, size_line))
                          : std::string_view{};
    };
    const std::string_view line_end = is_chunked ? "\r\n" : "";
    std::vector<std::string_view> first{request.front(),
                                        size_of(net::total_size(request.subspan(1)))};
    first.insert(first.end(), request.begin() + 1, request.end());
    first.push_back(line_end);
    WEIR_CO_TRY(bool takes_more, co_await exchange.begin(first, timing));
    const aio::Deadline total = timing.total;
    while (takes_more && !call.http.body_is_complete()) {
        if (total.has_passed(services_.clock.steady_now())) {
            co_return fail(Code::request_timeout,
                           "The upload took too long to arrive; send it faster.");
        }
        WEIR_CO_TRY(const auto part, co_await read_part(call.http, *call.upload));
        const bool is_last = call.http.body_is_complete();
        const std::string_view pieces[] = {part.empty() ? std::string_view{} : size_of(part.size()),
                                           part,
                                           part.empty() ? std::string_view{} : line_end,
                                           is_chunked && is_last ? kLastChunk : std::string_view{}};
        WEIR_CO_TRY(takes_more, co_await exchange.send_more(pieces));
    }
    co_return co_await exchange.finish(net::Method::post);
}

}  // namespace weir::pipeline
