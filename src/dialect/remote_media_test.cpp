#include "dialect/remote_media.h"

#include <gtest/gtest.h>

namespace weir::dialect {
namespace {

using enum llm::MediaKind;
using enum llm::Dialect;

struct RemoteCase {
    llm::Dialect dialect;
    llm::MediaKind kind;
    std::string_view url;
    bool must_be_inlined;
    std::string_view mime = "";
};

TEST(RemoteMedia, IsInlinedForThoseWhoDoNotFetchIt) {
    constexpr std::string_view kWeb = "https://h.example/a";
    for (const RemoteCase& c : {
             RemoteCase{openai_chat, image, kWeb, false},
             RemoteCase{openai_chat, file, kWeb, true},
             RemoteCase{openai_chat, audio, kWeb, true},
             RemoteCase{openai_chat, video, kWeb, false},
             RemoteCase{openai_responses, image, kWeb, false},
             RemoteCase{openai_responses, file, kWeb, false},
             RemoteCase{anthropic, image, kWeb, false},
             RemoteCase{anthropic, file, kWeb, false},
             RemoteCase{anthropic, file, kWeb, false, "application/pdf"},
             RemoteCase{anthropic, file, kWeb, true, "text/plain"},
             RemoteCase{anthropic, audio, kWeb, false},
             RemoteCase{gemini, image, kWeb, true},
             RemoteCase{gemini, image, "HTTP://h.example/a", true},
             RemoteCase{gemini, video, kWeb, true},
             RemoteCase{gemini, video, "https://www.youtube.com/watch?v=1", false},
             RemoteCase{gemini, video, "https://www.youtube.com.example/watch", true},
             RemoteCase{
                 gemini, file, "https://generativelanguage.googleapis.com/v1beta/files/1", false},
             RemoteCase{gemini, image, "gs://bucket/a", false},
             RemoteCase{gemini, image, "", false},
             RemoteCase{bedrock, image, kWeb, true},
             RemoteCase{bedrock, file, kWeb, true},
             RemoteCase{bedrock, video, "s3://bucket/a", false},
             RemoteCase{bedrock, image, "ftp://h.example/a", false},
         }) {
        const llm::Media media{
            .kind = c.kind, .mime = std::string(c.mime), .url = std::string(c.url)};
        EXPECT_EQ(must_be_inlined(c.dialect, media), c.must_be_inlined)
            << llm::name(c.dialect) << " " << c.url;
    }
}

TEST(RemoteMedia, APictureMustBeOne) {
    EXPECT_TRUE(is_of_kind(image, "image/png"));
    EXPECT_FALSE(is_of_kind(image, "application/pdf"));
    EXPECT_FALSE(is_of_kind(audio, "video/mp4"));
    EXPECT_TRUE(is_of_kind(video, "video/mp4"));
    EXPECT_TRUE(is_of_kind(file, "text/plain"));
    EXPECT_TRUE(is_of_kind(file, "image/png"));
}

TEST(RemoteMedia, WhatWasFetchedTakesThePlaceOfTheUrl) {
    llm::Media media{.kind = image, .mime = "image/jpg", .url = "https://h/a", .detail = "low"};
    put_inline(media, "image/png", "bytes");
    EXPECT_EQ(
        media,
        (llm::Media{.kind = image, .mime = "image/png", .data = "Ynl0ZXM=", .detail = "low"}));

    llm::Media unknown{.kind = file, .url = "https://h/a"};
    put_inline(unknown, "image/png", "bytes");
    EXPECT_EQ(unknown.kind, image);

    llm::Media known{.kind = file, .mime = "application/pdf", .url = "https://h/a"};
    put_inline(known, "image/png", "bytes");
    EXPECT_EQ(known.kind, file);
}

}  // namespace
}  // namespace weir::dialect
