#include "provider/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace weir::provider {
namespace {

// Where only the form of a default URL matters.
constexpr std::string_view kAnyRegion = "us-east-1";
constexpr std::string_view kNameExpected =
    "a name of at most 64 lower-case letters, digits, '-', '_' and '.'";

// A name is part of `provider/model` and a metric label.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                      c == '.';
           });
}

config::Type<std::string> name_type() {
    return {[](const config::Position& at, std::string& into, config::Reporter& reporter) {
                if (at.node.kind != config::Node::Kind::scalar || !is_name(at.node.text)) {
                    config::detail::report_unexpected(at, kNameExpected, reporter);
                    return false;
                }
                into = at.node.text;
                return true;
            },
            R"({"type":"string","pattern":"^[a-z0-9._-]{1,64}$"})"};
}

config::Type<BaseUrl> base_url_type() {
    return {[](const config::Position& at, BaseUrl& into, config::Reporter& reporter) {
                if (at.node.kind != config::Node::Kind::scalar) {
                    config::detail::report_unexpected(
                        at, "a URL such as https://host/v1", reporter);
                    return false;
                }
                auto url = parse_base_url(at.node.text);
                if (!url) {
                    reporter.report(at.node.place, at.path, url.error().message());
                    return false;
                }
                into = std::move(*url);
                return true;
            },
            R"({"type":"string","format":"uri"})"};
}

// A header of the client that goes to the provider as it is. Not those that carry credentials or
// frame the message.
config::Type<std::string> header_type() {
    return {[](const config::Position& at, std::string& into, config::Reporter& reporter) {
                static const std::set<std::string_view> refused = {"authorization",
                                                                   "proxy-authorization",
                                                                   "x-api-key",
                                                                   "api-key",
                                                                   "cookie",
                                                                   "host",
                                                                   "content-length",
                                                                   "transfer-encoding",
                                                                   "connection",
                                                                   "te",
                                                                   "trailer",
                                                                   "upgrade",
                                                                   "expect",
                                                                   "keep-alive",
                                                                   "content-type",
                                                                   "content-encoding",
                                                                   "accept-encoding",
                                                                   "traceparent",
                                                                   "proxy-authenticate",
                                                                   "user-agent",
                                                                   "accept"};
                const auto& text = at.node.text;
                const bool good =
                    at.node.kind == config::Node::Kind::scalar && !text.empty() &&
                    text.size() <= 64 && !refused.contains(text) &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                    });
                if (!good) {
                    config::detail::report_unexpected(
                        at,
                        "a header name in lower case that carries no credential and no framing",
                        reporter);
                    return false;
                }
                into = text;
                return true;
            },
            R"({"type":"string"})"};
}

// Part of a host name.
config::Type<std::string> region_type() {
    return {[](const config::Position& at, std::string& into, config::Reporter& reporter) {
                const auto& text = at.node.text;
                const bool good =
                    at.node.kind == config::Node::Kind::scalar && !text.empty() &&
                    text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                    });
                if (!good) {
                    config::detail::report_unexpected(
                        at, "the name of a region, such as us-east-1", reporter);
                    return false;
                }
                into = text;
                return true;
            },
            R"({"type":"string","pattern":"^[a-z0-9-]{1,32}$"})"};
}

config::Type<KeySection> key_type() {
    config::Object<KeySection> key;
    key.required("name", &KeySection::name, name_type(), "how logs and metrics refer to it")
        .required("key", &KeySection::key, config::secret(), "the credential")
        .field("weight",
               &KeySection::weight,
               config::integer(1, kKeyWeightMax),
               "its share of the calls, beside the others'; 1 unless set");
    return key.type();
}

// Of the three ways to name a credential, at most one.
void check_keys(const ProviderSection& section,
                const config::Position& at,
                config::Reporter& reporter) {
    if (!section.keys.empty() && !(section.api_key.empty() && section.bearer_token.empty())) {
        reporter.report(at.node.place,
                        at.path + ".keys",
                        "name the credentials here or in api_key or bearer_token, not in both");
    }
    if (section.keys.size() > kKeysMax) {
        reporter.report(
            at.node.place,
            at.path + ".keys",
            fmt::format("expected at most {} keys, found {}", kKeysMax, section.keys.size()));
    }
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < section.keys.size(); ++i) {
        if (!names.insert(section.keys[i].name).second) {
            reporter.report(
                at.node.place,
                fmt::format("{}.keys[{}].name", at.path, i),
                fmt::format("'{}' is the name of another key already", section.keys[i].name));
        }
    }
}

void check_aws(const ProviderSection& section,
               const config::Position& at,
               config::Reporter& reporter) {
    const auto require = [&](bool is_there, std::string_view key, std::string_view why) {
        if (!is_there) {
            reporter.report(at.node.place,
                            fmt::format("{}.{}", at.path, key),
                            fmt::format("required by kind {}: {}", section.kind->name, why));
        }
    };
    require(!section.region.empty(), "region", "requests are signed for it");
    if (section.bearer_token.empty()) {
        require(!section.access_key_id.empty(), "access_key_id", "or a bearer_token");
        require(!section.secret_access_key.empty(), "secret_access_key", "or a bearer_token");
    }
}

}  // namespace

BaseUrl base_url_of(const ProviderSection& section) {
    if (!section.base_url.host.empty()) {
        return section.base_url;
    }
    std::string text(section.kind->base_url);
    if (const std::size_t at = text.find(kRegion); at != std::string::npos) {
        text.replace(at, kRegion.size(), section.region.empty() ? kAnyRegion : section.region);
    }
    auto url = parse_base_url(text);
    WEIR_ASSERT(url.has_value());  // checked when the section was read, and by a test of all kinds
    return std::move(*url);
}

config::Section providers_section() {
    std::vector<std::pair<std::string_view, const ProviderKind*>> kinds;
    for (const ProviderKind* kind : all_kinds()) {
        kinds.emplace_back(kind->name, kind);
    }
    config::Object<ProviderSection> provider;
    provider
        .required("name", &ProviderSection::name, name_type(), "how models and logs refer to it")
        .required("kind", &ProviderSection::kind, config::word(kinds), "what it speaks")
        .field("base_url",
               &ProviderSection::base_url,
               base_url_type(),
               "where it is, with or without the version of its API; every kind but the "
               "self-hosted ones has a default")
        .field("api_key", &ProviderSection::api_key, config::secret(), "Weir's credential there")
        .field("keys",
               &ProviderSection::keys,
               config::list(key_type()),
               "several credentials, in the place of api_key: one that is refused or limited "
               "rests while the others go on")
        .field("bearer_token",
               &ProviderSection::bearer_token,
               config::secret(),
               "sent as 'Authorization: Bearer' in the place of the key (Azure's Entra ID)")
        .field("api_version",
               &ProviderSection::api_version,
               config::text(),
               "Azure: the api-version of deployment URLs, such as 2024-10-21; the v1 surface "
               "unless set")
        .field("region",
               &ProviderSection::region,
               region_type(),
               "AWS: where the models are, such as us-east-1")
        .field("access_key_id",
               &ProviderSection::access_key_id,
               config::text(),
               "AWS: signs requests, with secret_access_key")
        .field("secret_access_key",
               &ProviderSection::secret_access_key,
               config::secret(),
               "AWS: never sent")
        .field("session_token",
               &ProviderSection::session_token,
               config::secret(),
               "AWS: of credentials that are lent for a time")
        .field("connections_max",
               &ProviderSection::connections_max,
               config::integer(1, 65'536),
               "connections to it, over all threads; 1024 unless set")
        .field("forward_headers",
               &ProviderSection::forward_headers,
               config::list(header_type()),
               "headers of the client that are passed on to it")
        .field("ca_file",
               &ProviderSection::ca_file,
               config::text(),
               "PEM file with the authorities to trust; the system's unless set")
        .field("breaker",
               &ProviderSection::breaker,
               breaker_type(),
               "when its models are left alone, each by itself")
        .field("admission",
               &ProviderSection::admission,
               admission_type(),
               "how many calls each of its models gets at once")
        .field("health",
               &ProviderSection::health,
               config::optional(health_type()),
               "a cheap question, asked beside the calls: while it is not answered, its models get "
               "none; not asked unless set ({} is enough)")
        .field("pass_through",
               &ProviderSection::pass_through,
               config::boolean(),
               "whether `name/model` reaches any model of it; off unless set")
        .field("shared_files",
               &ProviderSection::shared_files,
               config::boolean(),
               "whether every caller may name, by id, any file, container, vector store, cached "
               "content or prompt of its account; off unless set: each tenant names what its own "
               "answers made, and all else is 404")
        .check([](const ProviderSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.kind->base_url.empty() && section.base_url.host.empty()) {
                reporter.report(
                    at.node.place,
                    at.path + ".base_url",
                    fmt::format("required: kind {} has no default", section.kind->name));
            }
            if (!section.api_version.empty() && section.kind->versioned_endpoints.empty()) {
                reporter.report(
                    at.node.place,
                    at.path + ".api_version",
                    fmt::format("kind {} has no versions in its URLs", section.kind->name));
            }
            if (section.health && section.health->path.empty() &&
                section.kind->models_path.empty()) {
                reporter.report(at.node.find("health")->place,
                                at.path + ".health.path",
                                fmt::format("required: kind {} has no list of models that is asked "
                                            "for without a signature",
                                            section.kind->name));
            }
            if (section.kind->auth == Auth::aws) {
                if (!section.keys.empty()) {
                    reporter.report(at.node.place,
                                    at.path + ".keys",
                                    fmt::format("kind {} has no keys of this form: make a provider "
                                                "of each credential",
                                                section.kind->name));
                }
                check_aws(section, at, reporter);
                return;
            }
            check_keys(section, at, reporter);
            if (section.kind->needs_key && section.api_key.empty() && section.keys.empty() &&
                section.bearer_token.empty()) {
                reporter.report(at.node.place,
                                at.path + ".api_key",
                                fmt::format("required by kind {}", section.kind->name));
            }
        });
    auto list = config::list(provider.type());
    config::Type<ProvidersSection> type{
        [read = std::move(list.read)](
            const config::Position& at, ProvidersSection& into, config::Reporter& reporter) {
            if (!read(at, into.providers, reporter)) {
                return false;
            }
            std::set<std::string_view> names;
            for (std::size_t i = 0; i < into.providers.size(); ++i) {
                if (!names.insert(into.providers[i].name).second) {
                    reporter.report(at.node.items[i].place,
                                    fmt::format("{}[{}].name", at.path, i),
                                    fmt::format("'{}' is the name of another provider already",
                                                into.providers[i].name));
                }
            }
            return true;
        },
        list.schema};
    return config::section<ProvidersSection>(
        "providers", "who answers: the servers that Weir asks", std::move(type));
}

}  // namespace weir::provider
