#include "dialect/form/scanner.h"

#include <gtest/gtest.h>

#include "dialect/form/request.h"
#include "dialect/json/splice.h"

namespace weir::dialect::form {
namespace {

constexpr std::string_view kBoundary = "x-Y";

std::string part(std::string_view head, std::string_view content) {
    return fmt::format("--x-Y\r\n{}\r\n\r\n{}\r\n", head, content);
}
std::string field(std::string_view name, std::string_view value) {
    return part(fmt::format("Content-Disposition: form-data; name=\"{}\"", name), value);
}
std::string file(std::string_view content) {
    return part(
        "Content-Disposition: form-data; name=\"file\"; filename=\"a b.mp3\"\r\n"
        "Content-Type: audio/mpeg",
        content);
}
const std::string kEnd = "--x-Y--\r\n";

struct Read {
    bool good = false;
    std::string message, model, found;
    bool stream = false;
    std::int64_t count = 1;
    bool operator==(const Read&) const = default;
};

Read read(std::string_view form, std::size_t cut) {
    Scanner scanner(kBoundary);
    Result<void> fed{};
    for (const auto piece : {form.substr(0, cut), form.substr(cut)}) {
        const std::string copy(piece);
        fed = scanner.feed(copy);
        if (!fed) {
            break;
        }
    }
    if (fed) {
        fed = scanner.end();
    }
    Read result{.good = fed.has_value(),
                .message = fed ? "" : fed.error().message(),
                .model = scanner.model().value_or(""),
                .found = {},
                .stream = scanner.stream(),
                .count = scanner.count()};
    if (scanner.model()) {
        result.found = scanner.model_span().in(form);
    }
    return result;
}

Read read_at_every_cut(std::string_view form) {
    const Read whole = read(form, form.size());
    for (std::size_t cut = 0; cut < form.size(); ++cut) {
        EXPECT_EQ(read(form, cut), whole) << "cut at " << cut;
    }
    return whole;
}

TEST(Form, FindsTheModelWhereverItStands) {
    const std::string data("\x00\xff\r\n--x-\r\r\n\n--x\r--\r", 20);
    for (const std::string& form :
         {field("model", "whisper-1") + file(data) + kEnd,
          file(data) + field("model", "whisper-1") + kEnd,
          file("") + field("a", "") + field("model", "whisper-1") + "--x-Y--"}) {
        const Read got = read_at_every_cut(form);
        EXPECT_TRUE(got.good) << got.message;
        EXPECT_EQ(got.model, "whisper-1");
        EXPECT_EQ(got.found, "whisper-1");
    }
}

TEST(Form, ReadsWhatElseMatters) {
    const Read got = read_at_every_cut(field("stream", "true") + field("n", "3") +
                                       field("prompt", "model") + kEnd);
    EXPECT_TRUE(got.good) << got.message;
    EXPECT_TRUE(got.stream);
    EXPECT_EQ(got.count, 3);
    EXPECT_EQ(got.model, "");
}

TEST(Form, TakesTheSpellingsOfItsClients) {
    for (const std::string_view head :
         {"content-disposition:form-data;name=model",
          "Content-Type: text/plain; charset=utf-8\r\nCONTENT-DISPOSITION: Form-Data; "
          "name=\"model\"",
          "Content-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: 8bit",
          "Content-Disposition: form-data; name=\"model\"\r\nContent-Length: 1\r\nX-Other: a"}) {
        const Read got = read_at_every_cut(part(head, "m") + kEnd);
        EXPECT_TRUE(got.good) << head << got.message;
        EXPECT_EQ(got.model, "m") << head;
    }
    // An extended file name is no name of a field.
    EXPECT_TRUE(read(part("Content-Disposition: form-data; name=\"file\"; "
                          "filename*=utf-8''%e2%82%ac.mp3",
                          "data") +
                         kEnd,
                     0)
                    .good);
}

struct RefusalCase {
    std::string_view name;
    std::string form;
};
class Refused : public testing::TestWithParam<RefusalCase> {};
TEST_P(Refused, AtEveryCut) {
    const Read got = read_at_every_cut(GetParam().form);
    EXPECT_FALSE(got.good);
    EXPECT_FALSE(got.message.empty());
}
const std::string kModel = field("model", "m");
INSTANTIATE_TEST_SUITE_P(
    Form,
    Refused,
    testing::Values(
        RefusalCase{"nothing", ""},
        RefusalCase{"no_end", kModel},
        RefusalCase{"half_an_end", kModel + "--x-Y-"},
        RefusalCase{"half_a_line_behind_the_end", kModel + "--x-Y--\r"},
        RefusalCase{"before_the_first", "preamble\r\n" + kModel + kEnd},
        RefusalCase{"behind_the_last", kModel + kEnd + "more"},
        RefusalCase{"behind_the_last_a_form", kModel + kEnd + kModel + kEnd},
        RefusalCase{"another_boundary", "--x-Z\r\n\r\n" + kEnd},
        RefusalCase{"a_longer_boundary", file("a\r\n--x-Yz\r\n") + kEnd},
        RefusalCase{"padding_behind_the_boundary", file("a\r\n--x-Y \r\n") + kEnd},
        RefusalCase{"bare_lf_before_a_boundary", file("a\n--x-Y\r\n") + kEnd},
        RefusalCase{"bare_cr_before_a_boundary", file("a\r--x-Y\r\n") + kEnd},
        RefusalCase{"a_boundary_as_content", file("--x-Y\r\n") + kEnd},
        RefusalCase{"bare_lf_behind_a_boundary", "--x-Y\n" + kModel + kEnd},
        RefusalCase{"bare_lf_in_a_head",
                    "--x-Y\r\nContent-Disposition: form-data; name=\"model\"\n\r\nm\r\n" + kEnd},
        RefusalCase{"two_models", kModel + field("model", "o1") + kEnd},
        RefusalCase{
            "a_model_that_is_a_file",
            part("Content-Disposition: form-data; name=\"model\"; filename=\"f\"", "m") + kEnd},
        RefusalCase{"an_empty_model", field("model", "") + kEnd},
        RefusalCase{"a_model_of_two_lines", field("model", "m\r\nx") + kEnd},
        RefusalCase{"a_model_that_is_no_text", field("model", "m\xff") + kEnd},
        RefusalCase{"a_long_model", field("model", std::string(kFieldBytesMax + 1, 'm')) + kEnd},
        RefusalCase{"no_such_number", field("n", "0") + kEnd},
        RefusalCase{"no_disposition", part("Content-Type: text/plain", "m") + kEnd},
        RefusalCase{"two_dispositions",
                    part("Content-Disposition: form-data; name=\"a\"\r\n"
                         "Content-Disposition: form-data; name=\"model\"",
                         "m") +
                        kEnd},
        RefusalCase{"another_disposition",
                    part("Content-Disposition: file; name=\"a\"", "m") + kEnd},
        RefusalCase{"no_name", part("Content-Disposition: form-data; filename=\"a\"", "m") + kEnd},
        RefusalCase{"two_names",
                    part("Content-Disposition: form-data; name=\"a\"; name=\"model\"", "m") + kEnd},
        RefusalCase{
            "an_extended_name",
            part("Content-Disposition: form-data; name=\"a\"; name*=utf-8''model", "m") + kEnd},
        RefusalCase{"an_escaped_quote",
                    part("Content-Disposition: form-data; name=\"f\"; "
                         "filename=\"a\\\"; name=\"model\"",
                         "m") +
                        kEnd},
        RefusalCase{"an_encoding",
                    part("Content-Disposition: form-data; name=\"model\"\r\n"
                         "Content-Transfer-Encoding: base64",
                         "bQ==") +
                        kEnd},
        RefusalCase{"a_folded_line",
                    part("Content-Disposition: form-data;\r\n name=\"model\"", "m") + kEnd},
        RefusalCase{"a_space_before_the_colon",
                    part("Content-Disposition : form-data; name=\"model\"", "m") + kEnd},
        RefusalCase{"a_large_head", part("X: " + std::string(kPartHeadBytesMax, 'x'), "m") + kEnd}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Form, HasOnlySoManyParts) {
    std::string form;
    for (std::size_t i = 0; i < kPartsMax; ++i) {
        form += field("a", "b");
    }
    EXPECT_TRUE(read(form + kEnd, 0).good);
    EXPECT_FALSE(read(form + field("a", "b") + kEnd, 0).good);
}

TEST(Form, ItsContentType) {
    EXPECT_TRUE(is_form("multipart/form-data; boundary=a"));
    EXPECT_TRUE(is_form("Multipart/Form-Data;boundary=a"));
    EXPECT_FALSE(is_form("multipart/form-database"));
    EXPECT_FALSE(is_form("application/json"));
    EXPECT_EQ(boundary_of("multipart/form-data; boundary=a-b").value(), "a-b");
    EXPECT_EQ(boundary_of("multipart/form-data; charset=x; BOUNDARY=\"a b?\"").value(), "a b?");
    for (const std::string_view bad : {"multipart/form-data",
                                       "multipart/form-data; boundary=",
                                       "multipart/form-data; boundary=\"\"",
                                       "multipart/form-data; boundary=a; boundary=b",
                                       "multipart/form-data; boundary=\"a \"",
                                       "multipart/form-data; boundary=\"a\\\"b\"",
                                       "multipart/form-data; boundary=\"a",
                                       "multipart/form-data; boundary=a;;"}) {
        EXPECT_FALSE(boundary_of(bad).has_value()) << bad;
    }
    EXPECT_FALSE(boundary_of("multipart/form-data; boundary=" + std::string(71, 'a')).has_value());
    for (const std::string_view boundary : {"a-b", "a b?", "----WebKit'x"}) {
        EXPECT_EQ(boundary_of(content_type_of(boundary)).value(), boundary);
    }
}

std::string renamed(std::string_view form, const RequestPath& path, std::string_view to) {
    Scanner scanner(kBoundary);
    EXPECT_TRUE(scanner.feed(form).has_value());
    const auto request = read_request(path, scanner);
    EXPECT_TRUE(request.has_value());
    json::Splice splice(form);
    rewrite(*request, to, splice);
    return splice.str();
}

TEST(FormRequest, NamesTheProvidersModel) {
    const RequestPath path{.surface = llm::Surface::audio, .model = {}};
    const std::string form = file("data") + field("model", "mine") + kEnd;
    EXPECT_EQ(renamed(form, path, "whisper-1"), file("data") + field("model", "whisper-1") + kEnd);
    EXPECT_EQ(renamed(form, path, "mine"), form);
    EXPECT_EQ(renamed(file("data") + kEnd, path, "w"), field("model", "w") + file("data") + kEnd);
    const RequestPath deployment{.surface = llm::Surface::audio, .model = "d"};
    EXPECT_EQ(renamed(form, deployment, "mine"), form);
}

TEST(FormRequest, LetsNoPathWriteIntoTheForm) {
    const Scanner scanner(kBoundary);
    const RequestPath path{.surface = llm::Surface::audio, .model = "openai/m\r\n--x-Y\r\n"};
    EXPECT_EQ(read_request(path, scanner).error().code(), Code::invalid_request);
}

}  // namespace
}  // namespace weir::dialect::form
