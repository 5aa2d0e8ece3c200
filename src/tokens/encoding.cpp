#include "tokens/encoding.h"

namespace weir::tokens {
namespace {

struct Family {
    std::string_view name;
    Encoding encoding;
};

// A name stands for itself and for what goes on behind a '-' or ':'. One that ends in '.' stands
// for every version behind it: gpt-4.1 is no gpt-4.
constexpr Family kFamilies[] = {
    {"gpt-4o", Encoding::o200k},
    {"gpt-4.1", Encoding::o200k},
    {"gpt-4.5", Encoding::o200k},
    {"gpt-5", Encoding::o200k},
    {"gpt-5.", Encoding::o200k},
    {"o1", Encoding::o200k},
    {"o3", Encoding::o200k},
    {"o4", Encoding::o200k},
    {"chatgpt-4o", Encoding::o200k},
    {"codex-mini", Encoding::o200k},
    // Its own encoding differs from o200k in special tokens only.
    {"gpt-oss", Encoding::o200k},
    {"gpt-4", Encoding::cl100k},
    {"gpt-3.5", Encoding::cl100k},
    {"gpt-35", Encoding::cl100k},
    // By number: text-embedding-004 is Google's.
    {"text-embedding-3", Encoding::cl100k},
    {"text-embedding-ada-002", Encoding::cl100k},
    {"davinci-002", Encoding::cl100k},
    {"babbage-002", Encoding::cl100k},
};

bool is_of(std::string_view model, std::string_view family) {
    if (!model.starts_with(family)) {
        return false;
    }
    model.remove_prefix(family.size());
    return model.empty() || family.back() == '.' || model.front() == '-' || model.front() == ':';
}

}  // namespace

std::string_view name(Encoding encoding) {
    switch (encoding) {
        case Encoding::cl100k:
            return "cl100k_base";
        case Encoding::o200k:
            return "o200k_base";
    }
    std::unreachable();
}

std::optional<Encoding> encoding_of(std::string_view model) {
    for (const std::string_view prefix : {"openai/", "ft:"}) {
        if (model.starts_with(prefix)) {
            model.remove_prefix(prefix.size());
        }
    }
    for (const Family& family : kFamilies) {
        if (is_of(model, family.name)) {
            return family.encoding;
        }
    }
    return std::nullopt;
}

}  // namespace weir::tokens
