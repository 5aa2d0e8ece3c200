#include "report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "json.h"

namespace weir::conformance {
namespace {

// One value a line: a change shows where it is. What is no JSON stands as it came.
std::string pretty(std::string_view json) {
    const auto value = nlohmann::ordered_json::parse(json, nullptr, false);
    return value.is_discarded() ? std::string(json) + '\n' : value.dump(2) + '\n';
}

// The members that a streamed request has beside those of the whole one, or otherwise.
std::string difference(std::string_view whole, std::string_view streamed) {
    const auto before = nlohmann::ordered_json::parse(whole, nullptr, false);
    const auto after = nlohmann::ordered_json::parse(streamed, nullptr, false);
    auto changed = nlohmann::ordered_json::object();
    for (const auto& [key, value] : after.items()) {
        if (!before.contains(key) || before[key] != value) {
            changed[key] = value;
        }
    }
    return before.size() <= after.size() ? changed.dump(2) + '\n' : pretty(streamed);
}

class Report {
public:
    Report(const CaseFile& file, Pair pair) : case_(file), pair_(pair), exchange_(pair, file) {}

    std::string write() {
        request(false);
        request(true);
        for (const Section* section : case_.all("answer", pair_.provider)) {
            answer(*section);
        }
        for (const Section* section : case_.all("stream", pair_.provider)) {
            stream(*section);
        }
        for (const Section* section : case_.all("error", pair_.provider)) {
            heading(section->title() + ", status " + std::string(section->option("status")));
            failure(section->title(), exchange_.refuse(*section));
        }
        return std::move(out_);
    }

private:
    void heading(std::string_view what) { out_ += fmt::format("=== {}\n", what); }

    void request(bool streamed) {
        const std::string title = streamed ? "upstream request, streamed" : "upstream request";
        heading(title);
        const auto sent = exchange_.send(streamed);
        if (!sent) {
            failure(title, sent.error());
            return;
        }
        if (streamed) {
            out_ += difference(exchange_.send(false)->body, sent->body);
            return;
        }
        out_ += pretty(sent->body);
        if (!sent->dropped.empty()) {
            heading("dropped");
            out_ += fmt::format("{}\n", fmt::join(sent->dropped, ", "));
        }
    }

    void answer(const Section& section) {
        heading(section.title());
        const auto told = exchange_.answer(section.body);
        if (!told) {
            failure(section.title(), told.error());
            return;
        }
        out_ += pretty(told->body);
        usage(section, told->usage);
    }

    void stream(const Section& section) {
        const Streamed told =
            exchange_.stream(section.body, section.body.size(), section.body.size());
        // CRLF would not survive an editor: it is said once, and all lines have it or none.
        std::string body = told.body;
        const bool has_crlf = body.find("\r\n") != std::string::npos;
        for (std::size_t at = 0; has_crlf && (at = body.find("\r\n", at)) != std::string::npos;) {
            body.erase(at, 1);
        }
        heading(section.title() + (has_crlf ? ", lines end in CRLF" : ""));
        if (told.error && !told.committed) {
            failure(section.title(), *told.error);
            return;
        }
        out_ += body;
        if (told.error) {
            heading(section.title() + ", why it broke");
            out_ += words(*told.error);
        }
        usage(section, told.usage);
    }

    void usage(const Section& section, const llm::Usage& used) {
        heading(section.title() + ", usage");
        out_ += fmt::format("input {} (cache read {}, cache write {} of which 1 h {})\n",
                            used.input_tokens,
                            used.cache_read_tokens,
                            used.cache_write_tokens,
                            used.cache_write_1h_tokens);
        out_ += fmt::format("output {} (reasoning {}){}\n",
                            used.output_tokens,
                            used.reasoning_tokens,
                            used.estimated ? ", estimated" : "");
    }

    std::string words(const Error& error) {
        std::string text = fmt::format(
            "{} {}: {}\n", info(error.code()).status, name(error.code()), error.message());
        if (!error.parameter().empty()) {
            text += fmt::format("parameter: {}\n", error.parameter());
        }
        if (!error.detail().empty()) {
            text += fmt::format("private: {}\n", error.detail());
        }
        if (error.retry_after()) {
            text += fmt::format("retry after: {} ms\n", error.retry_after()->count());
        }
        return text;
    }

    // The client gets a status and its dialect's words.
    void failure(std::string_view title, const Error& error) {
        out_ += words(error);
        heading(fmt::format("{}, told to the client", title));
        out_ += pretty(exchange_.tell(error));
    }

    const CaseFile& case_;
    const Pair pair_;
    const Exchange exchange_;
    std::string out_;
};

}  // namespace

std::string report(const CaseFile& file, Pair pair) { return Report(file, pair).write(); }

std::string expected_path(const CaseFile& file, Pair pair) {
    return fmt::format("{}/expected/{}/{}-on-{}.txt",
                       WEIR_CONFORMANCE_FOLDER,
                       file.name,
                       llm::name(pair.client),
                       llm::name(pair.provider));
}

}  // namespace weir::conformance
