// Every client dialect before every provider dialect, for every case: what comes out is what the
// expected file says (WEIR_UPDATE=1 rewrites it), means what the provider said, keeps the order
// that the dialect's clients demand, and is the same however the provider's bytes are cut.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dialect/json/document.h"
#include "meaning.h"
#include "report.h"
#include "stream_rules.h"

namespace weir::conformance {
namespace {

namespace fs = std::filesystem;

// Of longer streams not every offset is tried, but every piece size below.
constexpr std::size_t kEveryCutBytesMax = 3000;
constexpr std::size_t kSomeCuts = 200;

std::vector<std::string> case_names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(WEIR_CONFORMANCE_FOLDER "/cases")) {
        names.push_back(entry.path().stem().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

struct Place {
    std::string feature;
    Pair pair;
};

void PrintTo(const Place& place, std::ostream* out) { *out << place.feature; }

std::vector<Place> all_places() {
    std::vector<Place> places;
    for (const std::string& feature : case_names()) {
        for (const llm::Dialect client : kDialects) {
            for (const llm::Dialect provider : kDialects) {
                places.push_back(
                    {.feature = feature, .pair = {.client = client, .provider = provider}});
            }
        }
    }
    return places;
}

class Matrix : public testing::TestWithParam<Place> {
protected:
    void SetUp() override {
        auto read = read_case(WEIR_CONFORMANCE_FOLDER "/cases/" + GetParam().feature + ".case");
        ASSERT_TRUE(read.has_value()) << read.error().message();
        case_ = std::move(*read);
        exchange_.emplace(pair_, case_);
    }

    std::vector<const Section*> from_provider(std::string_view kind) const {
        return case_.all(kind, pair_.provider);
    }

    const Pair pair_ = GetParam().pair;
    CaseFile case_;
    std::optional<Exchange> exchange_;
};

std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

void expect_one_value(std::string_view json) {
    dialect::json::Document document;
    const auto parsed = document.parse(json, dialect::json::Duplicates::refused);
    EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message()) << '\n' << json;
}

TEST_P(Matrix, GivesWhatIsExpected) {
    const std::string told = report(case_, pair_);
    const std::string path = expected_path(case_, pair_);
    if (std::getenv("WEIR_UPDATE") != nullptr) {
        fs::create_directories(fs::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << told;
        return;
    }
    EXPECT_EQ(told, text_of(path)) << "WEIR_UPDATE=1 rewrites " << path;
}

TEST_P(Matrix, RequestsAreJsonAndNameTheModel) {
    for (const bool streamed : {false, true}) {
        const auto sent = exchange_->send(streamed);
        if (!sent) {
            EXPECT_EQ(sent.error().code(), Code::invalid_request) << sent.error().message();
            EXPECT_FALSE(sent.error().parameter().empty()) << sent.error().message();
            continue;
        }
        expect_one_value(sent->body);
        EXPECT_EQ(sent->body.find("\"assistant\"") != std::string::npos &&
                      sent->body.find("\"model\":\"assistant\"") != std::string::npos,
                  false);
    }
}

TEST_P(Matrix, AnswersMeanWhatTheProviderSaid) {
    for (const Section* section : from_provider("answer")) {
        SCOPED_TRACE(section->title());
        const auto told = exchange_->answer(section->body);
        const auto said = meaning_of_answer(section->body, pair_.provider);
        if (!told || !said) {
            // Passing bytes are not judged as closely.
            EXPECT_TRUE(!pair_.is_translated() || told.has_value() == said.has_value());
            continue;
        }
        expect_one_value(told->body);
        const auto heard = meaning_of_answer(told->body, pair_.client);
        ASSERT_TRUE(heard.has_value()) << heard.error().detail() << told->body;
        EXPECT_EQ(describe(*heard), describe(*said));
    }
}

TEST_P(Matrix, StreamsMeanWhatTheWholeAnswerDoes) {
    for (const Section* section : from_provider("stream")) {
        SCOPED_TRACE(section->title());
        const auto told = exchange_->stream(section->body, 1, 1);
        if (!told.error || told.committed) {
            EXPECT_EQ(broken_rule(told.body, pair_.client, told.error.has_value()), "");
        }
        EXPECT_NE(told.done, told.error.has_value());
        if (told.error) {
            continue;
        }
        const auto said = meaning_of_stream(section->body, pair_.provider);
        if (!said && !pair_.is_translated()) {
            continue;  // passing bytes are not judged as closely
        }
        ASSERT_TRUE(said.has_value()) << said.error().detail();
        const auto heard = meaning_of_stream(told.body, pair_.client);
        ASSERT_TRUE(heard.has_value()) << heard.error().detail() << told.body;
        EXPECT_EQ(describe(*heard), describe(*said));
        for (const Section* whole : from_provider("answer")) {
            if (whole->option("name") == section->option("name")) {
                const auto at_once = meaning_of_answer(whole->body, pair_.provider);
                ASSERT_TRUE(at_once.has_value());
                EXPECT_EQ(describe(*said), describe(*at_once));
            }
        }
    }
}

TEST_P(Matrix, StreamsAreTheSameForEveryCut) {
    for (const Section* section : from_provider("stream")) {
        SCOPED_TRACE(section->title());
        const std::string& body = section->body;
        const Streamed whole = exchange_->stream(body, body.size(), body.size());
        const auto expect_same = [&](std::size_t first, std::size_t piece) {
            const Streamed cut = exchange_->stream(body, first, piece);
            ASSERT_EQ(cut.body, whole.body) << "first " << first << ", then " << piece;
            ASSERT_EQ(cut.usage, whole.usage) << "first " << first << ", then " << piece;
            ASSERT_EQ(cut.error.has_value(), whole.error.has_value());
            if (cut.error) {
                ASSERT_EQ(cut.error->code(), whole.error->code());
                ASSERT_EQ(cut.committed, whole.committed);
            }
        };
        for (const std::size_t piece : {1, 2, 3, 7, 16, 61, 256, 1460}) {
            expect_same(piece, piece);
        }
        const std::size_t step = body.size() <= kEveryCutBytesMax ? 1 : body.size() / kSomeCuts + 1;
        for (std::size_t at = 1; at < body.size(); at += step) {
            expect_same(at, body.size());
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Every, Matrix, testing::ValuesIn(all_places()), [](const auto& info) {
    return info.param.feature + "_" + std::string(llm::name(info.param.pair.client)) + "_on_" +
           std::string(llm::name(info.param.pair.provider));
});

}  // namespace
}  // namespace weir::conformance
