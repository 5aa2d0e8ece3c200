#include "auth/master_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace weir::auth {
namespace {

namespace fs = std::filesystem;

// 00 01 .. 1f
constexpr std::string_view kHex =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kBase64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

class Folder {
public:
    Folder() {
        std::string pattern = (fs::temp_directory_path() / "weir-key-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() {
        ::chmod(path_.c_str(), 0700);
        fs::remove_all(path_);
    }
    const fs::path& path() const { return path_; }
    fs::path file() const { return path_ / kMasterKeyFile; }
    void write(std::string_view text, mode_t mode = 0600) const {
        std::ofstream(file()) << text;
        ::chmod(file().c_str(), mode);
    }

private:
    fs::path path_;
};

struct TextCase {
    std::string_view name;
    std::string text;
    bool good;
};
class MasterKeyTextTest : public testing::TestWithParam<TextCase> {};
TEST_P(MasterKeyTextTest, IsReadOrRefused) {
    const auto key = MasterKey::parse(Secret(GetParam().text), "WEIR_MASTER_KEY");
    ASSERT_EQ(key.has_value(), GetParam().good);
    if (key) {
        const auto same = MasterKey::parse(Secret(std::string(kHex)), "");
        EXPECT_EQ(key->check_value(), same->check_value());
        return;
    }
    EXPECT_EQ(key.error().code(), Code::invalid_config);
    EXPECT_TRUE(key.error().message().starts_with("WEIR_MASTER_KEY holds no key"));
    if (!GetParam().text.empty()) {
        EXPECT_EQ(key.error().message().find(GetParam().text), std::string::npos);
    }
}
INSTANTIATE_TEST_SUITE_P(
    MasterKey,
    MasterKeyTextTest,
    testing::Values(TextCase{"hex", std::string(kHex), true},
                    TextCase{"hex_in_capitals",
                             "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
                             true},
                    TextCase{"white_space_around", " " + std::string(kHex) + "\n", true},
                    TextCase{"base64", std::string(kBase64), true},
                    TextCase{"base64_without_padding", std::string(kBase64.substr(0, 43)), true},
                    TextCase{"empty", "", false},
                    TextCase{"short_hex", std::string(kHex.substr(2)), false},
                    TextCase{"not_hex", "g" + std::string(kHex.substr(1)), false},
                    TextCase{"base64_of_31_bytes", std::string(42, 'A'), false},
                    TextCase{"base64_with_stray_bits", std::string(42, 'A') + "B", false},
                    TextCase{"base64_with_a_bad_character", std::string(42, 'A') + "!", false},
                    TextCase{"a_word", "correct horse battery staple", false}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(MasterKey, ReadsBothAlphabetsOfBase64) {
    const auto a = MasterKey::parse(Secret(std::string(41, 'A') + "+/"), "");
    const auto b = MasterKey::parse(Secret(std::string(41, 'A') + "-_"), "");
    // The last character carries four bits, so '/' leaves two stray ones: both are refused.
    EXPECT_FALSE(a);
    EXPECT_FALSE(b);
    const auto c = MasterKey::parse(Secret("+/" + std::string(41, 'A')), "");
    const auto d = MasterKey::parse(Secret("-_" + std::string(41, 'A')), "");
    ASSERT_TRUE(c && d);
    EXPECT_EQ(c->check_value(), d->check_value());
}

TEST(MasterKey, LabelsGiveDifferentKeysAndTheSameOnesEachTime) {
    const auto key = MasterKey::parse(Secret(std::string(kHex)), "");
    ASSERT_TRUE(key);
    EXPECT_EQ(key->derive(kPepperLabel).reveal(), key->derive(kPepperLabel).reveal());
    EXPECT_NE(key->derive(kPepperLabel).reveal(), key->derive("seal").reveal());
    EXPECT_EQ(key->derive("audit").reveal().size(), kMasterKeySize);
    EXPECT_EQ(key->check_value(), "5b65c4e86119ed29b47b7cd9745ac5aa");
}

TEST(MasterKey, TheCheckValueFindsAnotherKey) {
    const Folder folder;
    const auto one = MasterKey::parse(Secret(std::string(kHex)), "");
    const auto other = MasterKey::open(folder.path());
    ASSERT_TRUE(one && other);
    EXPECT_TRUE(one->check(one->check_value()));
    const auto refused = other->check(one->check_value());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::invalid_config);
    EXPECT_NE(refused.error().message().find("another master key"), std::string::npos);
}

TEST(MasterKeyFile, IsMadeOnceAndOnlyForItsOwner) {
    const Folder folder;
    const auto made = MasterKey::open(folder.path());
    ASSERT_TRUE(made) << made.error().message();
    struct stat info{};
    ASSERT_EQ(::stat(folder.file().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777u, 0600u);
    const auto read = MasterKey::open(folder.path());
    ASSERT_TRUE(read);
    EXPECT_EQ(made->check_value(), read->check_value());
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1) << "no drafts are left";
}

TEST(MasterKeyFile, ProcessesThatStartAtOnceGetTheSameKey) {
    const Folder folder;
    std::vector<std::string> values(8);
    {
        std::vector<std::jthread> threads;
        for (auto& value : values) {
            threads.emplace_back([&] {
                const auto key = MasterKey::open(folder.path());
                value = key ? key->check_value() : key.error().message();
            });
        }
    }
    for (const auto& value : values) {
        EXPECT_EQ(value, values.front());
    }
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

struct FileCase {
    std::string_view name;
    void (*prepare)(const Folder&);
    std::string_view words;
};
class MasterKeyFileTest : public testing::TestWithParam<FileCase> {};
TEST_P(MasterKeyFileTest, IsRefusedInItsOwnWords) {
    const Folder folder;
    GetParam().prepare(folder);
    const auto key = MasterKey::open(folder.path());
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), Code::invalid_config);
    EXPECT_NE(key.error().message().find(GetParam().words), std::string::npos)
        << key.error().message();
}
INSTANTIATE_TEST_SUITE_P(
    MasterKey,
    MasterKeyFileTest,
    testing::Values(
        FileCase{"readable_by_the_group",
                 [](const Folder& folder) { folder.write(kHex, 0640); },
                 "is open to other users (mode 0640); run `chmod 600"},
        FileCase{"readable_by_all",
                 [](const Folder& folder) { folder.write(kHex, 0644); },
                 "is open to other users (mode 0644)"},
        FileCase{"writable_by_others",
                 [](const Folder& folder) { folder.write(kHex, 0602); },
                 "is open to other users (mode 0602)"},
        FileCase{"symbolic_link",
                 [](const Folder& folder) { fs::create_symlink("/dev/null", folder.file()); },
                 "is a symbolic link"},
        FileCase{"folder",
                 [](const Folder& folder) { fs::create_directory(folder.file()); },
                 "is not a regular file"},
        FileCase{"named_pipe",
                 [](const Folder& folder) { ::mkfifo(folder.file().c_str(), 0600); },
                 "is not a regular file"},
        FileCase{"empty", [](const Folder& folder) { folder.write(""); }, "holds no key"},
        FileCase{"too_long",
                 [](const Folder& folder) {
                     folder.write(std::string(kHex) + std::string(1000, ' ') + "x");
                 },
                 "holds no key"},
        FileCase{"no_data_folder",
                 [](const Folder& folder) { fs::remove(folder.path()); },
                 "cannot be written"}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::auth
