// Files that the client names by URLs and the provider does not get by itself: fetched through the
// egress guard, all of a call at once, and put into the call as if the client had sent them.
#include <fmt/format.h>

#include <algorithm>

#include "aio/channel.h"
#include "dialect/check.h"
#include "dialect/remote_media.h"
#include "pipeline/pipeline.h"

namespace weir::pipeline {
namespace {

// Of a URL in a message: enough to find it again.
constexpr std::size_t kShownBytesMax = 120;

using MediaList = std::vector<llm::Media*>;

void collect(std::vector<llm::Part>& parts, llm::Dialect dialect, MediaList& into) {
    for (llm::Part& part : parts) {
        if (auto* media = std::get_if<llm::Media>(&part.body)) {
            if (dialect::must_be_inlined(dialect, *media)) {
                into.push_back(media);
            }
        } else if (auto* result = std::get_if<llm::ToolResult>(&part.body)) {
            collect(result->content, dialect, into);
        }
    }
}

MediaList files_of(llm::Call& asked, llm::Dialect dialect) {
    MediaList files;
    for (llm::Message& message : asked.messages) {
        collect(message.parts, dialect, files);
    }
    return files;
}

// A conversation repeats its pictures: each is fetched once. At most one more than may be fetched:
// a body of half a million URLs must not be compared each with each.
std::vector<std::string> urls_of(const MediaList& files, std::size_t most) {
    std::vector<std::string> urls;
    for (const llm::Media* media : files) {
        if (urls.size() <= most && std::find(urls.begin(), urls.end(), media->url) == urls.end()) {
            urls.push_back(media->url);
        }
    }
    return urls;
}

std::string_view noun(llm::MediaKind kind) {
    switch (kind) {
        case llm::MediaKind::image:
            return "image";
        case llm::MediaKind::audio:
            return "audio";
        case llm::MediaKind::video:
            return "video";
        case llm::MediaKind::file:
            return "file";
    }
    std::unreachable();
}

// Without the query, which may hold a signature, and without a user.
std::string shown(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const std::size_t authority = url.find("//") + 2;
    const std::size_t at = url.substr(0, url.find('/', authority)).rfind('@');
    std::string text(url.substr(0, authority));
    text += url.substr(at == std::string_view::npos ? authority : at + 1);
    if (text.size() > kShownBytesMax) {
        std::size_t end = kShownBytesMax;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
            --end;  // not within a character
        }
        text = text.substr(0, end) + "…";
    }
    return text;
}

Failure could_not(const llm::Call& asked,
                  const llm::Media& media,
                  std::string_view clause,
                  std::string detail) {
    return fail(Code::invalid_request,
                fmt::format("The {} at '{}' could not be fetched: {}. Send its content in base64.",
                            noun(media.kind),
                            shown(media.url),
                            clause))
        .parameter(std::string(dialect::messages_field(asked.from)))
        .detail(std::move(detail));
}

struct Landed {
    std::size_t url;
    Result<net::Fetched> file;
};
using Landing = aio::Channel<Landed>;

aio::Task<void> fetch_one(const net::Fetcher* fetcher,
                          std::size_t index,
                          std::string url,
                          net::TakeBytes take,
                          aio::Deadline deadline,
                          Landing* landing) {
    auto file = co_await fetcher->get(std::move(url), std::move(take), deadline);
    co_await landing->send({.url = index, .file = std::move(file)});  // has room for all
}

// Every file, in the order of the URLs; or the first failure, which ends the others.
aio::Task<Result<std::vector<net::Fetched>>> fetch_all(aio::Scope& scope,
                                                       const net::Fetcher* fetcher,
                                                       std::vector<std::string> urls,
                                                       net::TakeBytes take,
                                                       aio::Deadline deadline,
                                                       Landing* landing,
                                                       std::size_t* failed) {
    for (std::size_t i = 0; i < urls.size(); ++i) {
        scope.spawn(fetch_one(fetcher, i, urls[i], take, deadline, landing));
    }
    std::vector<net::Fetched> files(urls.size());
    for (std::size_t i = 0; i < urls.size(); ++i) {
        auto landed = co_await landing->receive();
        if (!landed) {
            co_return fail(Code::cancelled, "The client left.");
        }
        if (!landed->file) {
            *failed = landed->url;
            co_return std::unexpected(std::move(landed->file).error());
        }
        files[landed->url] = std::move(*landed->file);
    }
    co_return files;
}

}  // namespace

bool Pipeline::needs_files(const Call& call, llm::Call& asked) {
    return !files_of(asked, call.way.dialect).empty();
}

aio::Task<Result<std::string>> Pipeline::fetch_and_encode(Call& call, llm::Call asked) {
    const SteadyTime begun = services_.clock.steady_now();
    auto inlined = co_await inline_media(call, asked);
    call.fetching = services_.clock.steady_now() - begun;
    if (!inlined) {
        co_return std::unexpected(std::move(inlined).error());
    }
    co_return encode(call, asked);
}

aio::Task<Result<void>> Pipeline::inline_media(Call& call, llm::Call& asked) {
    const MediaList files = files_of(asked, call.way.dialect);
    const auto most = static_cast<std::size_t>(call.runtime().fetch.per_call_max);
    const std::vector<std::string> urls = urls_of(files, most);
    if (urls.size() > most) {
        co_return could_not(asked,
                            *files.back(),
                            fmt::format("a call may name {} URLs at most", most),
                            "fetch.per_call_max");
    }
    std::uint64_t taken = 0;
    const auto take = [this, &call, &taken](std::size_t bytes) {
        taken += bytes;
        return hold_files(call, taken);
    };
    Landing landing(urls.size());
    std::size_t failed = 0;
    call.has_fetched = true;
    auto fetched = co_await aio::with_scope(
        &fetch_all,
        call.runtime().fetcher.get(),
        urls,
        net::TakeBytes(take),
        aio::Deadline::in(call.runtime().fetch.timeout).at_most(call.total),
        &landing,
        &failed);
    if (!fetched) {
        const Error& error = fetched.error();
        call.generation->meters.count_fetches(name(error.code()), 1);
        if (error.code() == Code::cancelled || error.code() == Code::overloaded) {
            co_return std::unexpected(error);
        }
        const auto at = std::find_if(files.begin(), files.end(), [&](const llm::Media* media) {
            return media->url == urls[failed];
        });
        co_return could_not(asked, **at, error.message(), error.detail());
    }
    call.generation->meters.count_fetches("ok", urls.size());
    co_return put_inline(call, asked, files, urls, *fetched);
}

// All of a call's together, and against what the gateway may hold: as if they had come with the
// body, in base64.
Result<void> Pipeline::hold_files(Call& call, std::uint64_t bytes) {
    if (bytes > call.runtime().fetch.bytes_max) {
        return fail(Code::payload_too_large,
                    fmt::format("the files of a call may have {} bytes together",
                                call.runtime().fetch.bytes_max));
    }
    return call.slot.hold_bytes(call.body_bytes + (bytes + 2) / 3 * 4);
}

Result<void> Pipeline::put_inline(Call& call,
                                  const llm::Call& asked,
                                  std::span<llm::Media* const> files,
                                  const std::vector<std::string>& urls,
                                  const std::vector<net::Fetched>& fetched) {
    // Fetched once, but sent as often as it was named.
    std::uint64_t bytes = 0;
    for (llm::Media* media : files) {
        const auto at = std::find(urls.begin(), urls.end(), media->url);
        const net::Fetched& file = fetched[static_cast<std::size_t>(at - urls.begin())];
        if (!dialect::is_of_kind(media->kind, file.type)) {
            return could_not(asked, *media, fmt::format("it is of type '{}'", file.type), "");
        }
        bytes += file.bytes.size();
        if (auto held = hold_files(call, bytes); !held) {
            return held.error().code() == Code::overloaded
                       ? std::move(held)
                       : could_not(asked, *media, held.error().message(), "");
        }
        dialect::put_inline(*media, file.type, file.bytes);
    }
    return {};
}

}  // namespace weir::pipeline
