#include "auth/digest.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/text.h"

namespace weir::auth {
namespace {

std::string hex(const Secret& secret) {
    const auto bytes = secret.reveal();
    return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

struct VectorCase {
    std::string_view name;
    std::string_view message, sha256_hex;
};
class Sha256Test : public testing::TestWithParam<VectorCase> {};
TEST_P(Sha256Test, MatchesThePublishedVector) {
    for (int i = 0; i < 2; ++i) {  // the thread's context is used again
        EXPECT_EQ(to_hex(sha256(GetParam().message)), GetParam().sha256_hex);
    }
}
INSTANTIATE_TEST_SUITE_P(
    Digest,
    Sha256Test,
    testing::Values(
        VectorCase{"empty", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        VectorCase{
            "abc", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}),
    [](const auto& info) { return std::string{info.param.name}; });

// RFC 4231, cases 1 and 2.
TEST(Hmac, MatchesThePublishedVectors) {
    const Hmac first{Secret(std::string(20, '\x0b'))};
    const Hmac second{Secret("Jefe")};
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(to_hex(first("Hi There")),
                  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        EXPECT_EQ(to_hex(second("what do ya want for nothing?")),
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}

// RFC 5869, case 3, and labels computed by another implementation.
TEST(Derive, MatchesThePublishedVectors) {
    EXPECT_EQ(hex(derive(Secret(std::string(22, '\x0b')), "")),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    std::string key;
    for (char c = 0; c < 32; ++c) {
        key += c;
    }
    EXPECT_EQ(hex(derive(Secret(key), "key-pepper")),
              "cab107c679c5831c83e2dce314e39df12e6c2bd6af37b07736feaedec9a1bcd3");
    EXPECT_EQ(hex(derive(Secret(key), "seal")),
              "1f28daac514d841274e4541f0ac720aedc1a1801279e144ba82e6ad8c1c9592d");
}

TEST(Digest, ComparesWhole) {
    Digest a{};
    Digest b{};
    EXPECT_TRUE(equal_in_constant_time(a, b));
    for (std::size_t i = 0; i < a.size(); ++i) {
        b = a;
        b[i] = 1;
        EXPECT_FALSE(equal_in_constant_time(a, b)) << i;
    }
}

TEST(Digest, AnyThreadMayHashAtTheSameTime) {
    const Hmac hmac{Secret("key")};
    const Digest hash = sha256("message");
    const Digest mac = hmac("message");
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 2000; ++i) {
                    wrong += sha256("message") == hash && hmac("message") == mac ? 0 : 1;
                }
            });
        }
    }
    EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace weir::auth
