// A provider ready to be asked: its connections' home, and the request heads that only lack what
// differs from call to call. Immutable; shared by all threads; one per Runtime and name.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "llm/names.h"
#include "net/resolver.h"
#include "net/upstream.h"
#include "provider/section.h"

namespace weir::provider {

class Provider {
public:
    // `threads` is how many reactor threads share it. Errors: invalid_config (an authority file
    // that cannot be read).
    static Result<std::shared_ptr<const Provider>> make(const ProviderSection& section,
                                                        unsigned threads,
                                                        net::Resolver& resolver);

    const std::string& name() const { return name_; }
    const ProviderKind& kind() const { return kind_; }
    const std::shared_ptr<net::Upstream>& upstream() const { return upstream_; }
    bool has_pass_through() const { return pass_through_; }
    // Names of the client's headers that go along, in lower case.
    std::span<const std::string> forward_headers() const { return forward_headers_; }

    // The request's head with every field but Content-Length and those of the call; no blank line.
    std::string_view head(llm::Surface surface) const {
        return surface == llm::Surface::chat ? chat_head_ : embeddings_head_;
    }

private:
    Provider(const ProviderSection& section, std::shared_ptr<net::Upstream> upstream);

    std::string name_;
    const ProviderKind& kind_;
    std::shared_ptr<net::Upstream> upstream_;
    bool pass_through_;
    std::vector<std::string> forward_headers_;
    std::string chat_head_, embeddings_head_;
};

}  // namespace weir::provider
