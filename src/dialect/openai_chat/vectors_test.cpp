#include "dialect/openai_chat/vectors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/base64.h"

namespace weir::dialect::openai_chat {
namespace {

std::string encoded(std::string_view answer, std::string_view public_model = {}) {
    json::Scratch scratch;
    json::Splice splice(answer);
    const auto done = encode_vectors(answer, public_model, scratch, splice);
    return done ? splice.str() : std::string(name(done.error().code()));
}

std::string base64(std::initializer_list<float> values) {
    std::string bytes(values.size() * sizeof(float), '\0');
    std::memcpy(bytes.data(), std::data(values), bytes.size());
    return to_base64(bytes, Base64::standard);
}

TEST(Vectors, BecomeBase64AndNothingElseChanges) {
    EXPECT_EQ(encoded(R"({"object":"list","data":[{"embedding":[0.5,-1,2e1],"index":0},)"
                      R"({"index":1,"embedding":[ 1e-400, 0 ]}],"model":"m","x":[1]})"),
              R"({"object":"list","data":[{"embedding":")" + base64({0.5F, -1.F, 20.F}) +
                  R"(","index":0},{"index":1,"embedding":")" + base64({0.F, 0.F}) +
                  R"("}],"model":"m","x":[1]})");
    // OpenAI's own example: what its SDK makes of these bytes is known.
    EXPECT_EQ(base64({1.F}), "AACAPw==");
}

TEST(Vectors, TakeTheNameWithThemWhereverItStands) {
    EXPECT_EQ(encoded(R"({"model":"m","data":[{"embedding":[1]}]})", "mine"),
              R"({"model":"mine","data":[{"embedding":"AACAPw=="}]})");
    EXPECT_EQ(encoded(R"({"data":[{"embedding":[1]}],"model":"m"})", "mine"),
              R"({"data":[{"embedding":"AACAPw=="}],"model":"mine"})");
}

TEST(Vectors, ThatAreNoneStay) {
    for (const std::string_view answer : {R"({"data":[{"embedding":"AACAPw=="}]})",
                                          R"({"data":[{"embedding":[[1,2],[3]]}]})",
                                          R"({"data":[{"embedding":["a"]}]})",
                                          R"({"data":[{"embedding":{"a":[1]}}]})",
                                          R"({"embedding":[1],"data":{"embedding":[1]}})"}) {
        EXPECT_EQ(encoded(answer), answer);
    }
}

TEST(Vectors, HoldNoNumberThatIsTooLarge) {
    EXPECT_EQ(encoded(R"({"data":[{"embedding":[1e999]}]})"), "upstream_invalid_response");
    EXPECT_EQ(encoded(R"({"data":[{"embedding":[-1e39]}]})"), "upstream_invalid_response");
    EXPECT_EQ(encoded(R"({"data":[{"embedding":[1)"), "upstream_invalid_response");
}

}  // namespace
}  // namespace weir::dialect::openai_chat
