#include "dialect/failure.h"

#include <gtest/gtest.h>

#include "base/timestamp.h"

namespace weir::dialect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const WallTime kNow = *parse_rfc3339("2026-11-21T09:00:00Z");

TEST(RetryAfter, ReadsEveryFormThatProvidersUse) {
    struct Case {
        RetryHeaders headers;
        std::optional<milliseconds> want;
    };
    for (const auto& [headers, want] : std::initializer_list<Case>{
             {{.retry_after = "3"}, seconds{3}},
             {{.retry_after = "1.5"}, milliseconds{1500}},
             {{.retry_after = "3", .retry_after_ms = "250"}, milliseconds{250}},
             {{.retry_after = "Sat, 21 Nov 2026 09:00:07 GMT"}, seconds{7}},
             {{.retry_after = "Sat, 21 Nov 2026 08:00:00 GMT"}, seconds{0}},
             {{.reset = "6m0s"}, seconds{360}},
             {{.reset = "120ms"}, milliseconds{120}},
             {{.reset = "1h2m3.5s"}, milliseconds{3'723'500}},
             {{.reset = "2026-11-21T09:00:30Z"}, seconds{30}},
             {{.reset = "1795251612"}, seconds{12}},
             {{.reset = "1795251612000"}, seconds{12}},
             {{.retry_after = "soon", .reset = "9s"}, seconds{9}},
             {{.retry_after = "999999999"}, std::chrono::hours{24}},
             {{}, std::nullopt},
             {{.retry_after = "-1"}, std::nullopt},
             {{.retry_after = "3 bananas"}, std::nullopt}}) {
        EXPECT_EQ(read_retry_after(headers, kNow), want)
            << headers.retry_after << headers.retry_after_ms << headers.reset;
    }
}

TEST(MakeError, KeepsAProvidersWordsPrivateUnlessTheRequestIsAtFault) {
    for (const auto cause : {Verdict::Cause::credential,
                             Verdict::Cause::target,
                             Verdict::Cause::rate,
                             Verdict::Cause::failure,
                             Verdict::Cause::timeout}) {
        const Error error =
            make_error(401,
                       {.cause = cause, .message = "key sk-1 of org-7 is bad", .parameter = "p"},
                       seconds{2});
        EXPECT_EQ(error.message().find("org-7"), std::string::npos);
        EXPECT_NE(error.detail().find("org-7"), std::string::npos);
        EXPECT_EQ(error.parameter(), "");
        EXPECT_EQ(error.retry_after(), seconds{2});
    }
    const Error error = make_error(
        400,
        {.cause = Verdict::Cause::request, .message = "too hot", .parameter = "temperature"},
        {});
    EXPECT_EQ(error.message(), "too hot");
    EXPECT_EQ(error.parameter(), "temperature");
    EXPECT_EQ(error.code(), Code::invalid_request);
}

TEST(Bounded, CutsBetweenCharacters) {
    std::string text(kWordsMax - 1, 'a');
    text += "\xc3\xa9";
    EXPECT_EQ(bounded(text), std::string(kWordsMax - 1, 'a'));
}

}  // namespace
}  // namespace weir::dialect
