// A provider ready to be asked: its connections' home, and the request heads that only lack what
// differs from call to call. Immutable; shared by all threads; one per Runtime and name.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "llm/names.h"
#include "net/resolver.h"
#include "net/upstream.h"
#include "provider/section.h"

namespace weir::provider {

// How calls of one surface reach a provider.
struct Way {
    std::size_t endpoint = 0;    // of the provider
    bool is_translated = false;  // the provider speaks another dialect than the client
    llm::Dialect dialect = llm::Dialect::openai_chat;  // the provider's, there
};

class Provider {
public:
    // `threads` is how many reactor threads share it. Errors: invalid_config (an authority file
    // that cannot be read).
    ~Provider();
    Provider(const Provider&) = delete;
    // Of `previous`, whoever asks the same server in the same way lends its upstream, so that
    // connections outlive a reload; an authority file is read again.
    static Result<std::shared_ptr<const Provider>> make(
        const ProviderSection& section,
        unsigned threads,
        net::Resolver& resolver,
        std::span<const std::shared_ptr<const Provider>> previous = {});

    const std::string& name() const { return name_; }
    const ProviderKind& kind() const { return kind_; }
    const std::shared_ptr<net::Upstream>& upstream() const { return upstream_; }
    bool has_pass_through() const { return pass_through_; }
    // Files of the account belong to all callers, not to whom they were made for.
    bool has_shared_files() const { return shared_files_; }
    // Names of the client's headers that go along, in lower case.
    std::span<const std::string> forward_headers() const { return forward_headers_; }

    // nullopt: it has nothing of this kind. `dialect` is the client's.
    std::optional<Way> way(llm::Surface surface,
                           llm::Dialect dialect,
                           llm::Operation operation = llm::Operation::only) const;

    // What Weir is known by there: one of several, or the only one (also where nothing is needed).
    struct Credential {
        std::string name;  // of the configuration; empty: the only one
        std::uint32_t weight = 1;
        std::string field;        // of the head, with its line end; empty: none is sent
        std::string fingerprint;  // changes when the credential does, and says nothing of it
    };
    std::span<const Credential> credentials() const { return credentials_; }
    // nullopt: there is none of this name (any more).
    std::optional<std::size_t> find_credential(std::string_view name) const;

    // The request's head with every field but Content-Length and those of the call; no blank line.
    // On surfaces that pass through, Content-Type is of the call. `credential` is an index.
    void begin_head(const Way& way,
                    std::string_view model,
                    bool is_stream,
                    std::size_t credential,
                    std::string& into) const;
    // The same about one thing below the endpoint: `item` follows its path ("resp_1/cancel").
    void begin_item_head(const Way& way,
                         std::string_view method,
                         std::string_view item,
                         std::size_t credential,
                         std::string& into) const;
    const std::optional<HealthSection>& health() const { return health_; }
    // The head of a probe, without its blank line; only where there is health().
    void begin_probe_head(std::string& into) const;
    // AWS: signs the request whose head has begun in `head` and whose body is `body`, in pieces.
    // Nothing for others.
    void sign(std::span<const std::string_view> body, WallTime now, std::string& head) const;

private:
    // Around the model's name, where the path has it; else all is in `before`.
    struct Head {
        std::string before, after;
        bool names_model = false;
    };
    struct Signer;
    struct Heads {
        llm::Surface surface;
        llm::Operation operation;
        llm::Dialect dialect;
        Head whole, stream;
    };

    Provider(const ProviderSection& section, std::shared_ptr<net::Upstream> upstream);
    Head make_head(const ProviderSection& section,
                   llm::Surface surface,
                   std::string_view path) const;

    std::string name_;
    const ProviderKind& kind_;
    std::shared_ptr<net::Upstream> upstream_;
    bool pass_through_;
    bool has_ca_file_;
    bool shared_files_;
    std::vector<std::string> forward_headers_;
    std::optional<HealthSection> health_;
    std::string probe_head_;
    std::vector<Credential> credentials_;
    std::vector<Heads> endpoints_;
    std::unique_ptr<const Signer> signer_;  // null: nothing is signed
};

}  // namespace weir::provider
