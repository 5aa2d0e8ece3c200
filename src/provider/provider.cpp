#include "provider/provider.h"

#include <algorithm>
#include <mutex>

#include "net/http_encode.h"
#include "provider/sigv4.h"

namespace weir::provider {
namespace {

constexpr std::string_view kModel = "{model}";

// The head's field that carries the credential, with its line end.
std::string field_of(Auth auth, std::string_view key) {
    std::string field;
    switch (auth) {
        case Auth::bearer:
            net::append_field(field, "authorization", "Bearer " + std::string(key));
            break;
        case Auth::api_key:
            net::append_field(field, "api-key", key);
            break;
        case Auth::x_api_key:
            net::append_field(field, "x-api-key", key);
            break;
        case Auth::x_goog_api_key:
            net::append_field(field, "x-goog-api-key", key);
            break;
        case Auth::aws:
            break;  // has no key of this form
    }
    return field;
}

// One at least: where nothing is sent, its field is empty.
std::vector<Provider::Credential> credentials_of(const ProviderSection& section) {
    std::vector<Provider::Credential> credentials;
    for (const KeySection& key : section.keys) {
        credentials.push_back({.name = key.name,
                               .weight = static_cast<std::uint32_t>(key.weight),
                               .field = field_of(section.kind->auth, key.key.reveal())});
    }
    if (!section.bearer_token.empty()) {
        credentials.push_back({.field = field_of(Auth::bearer, section.bearer_token.reveal())});
    } else if (!section.api_key.empty()) {
        credentials.push_back({.field = field_of(section.kind->auth, section.api_key.reveal())});
    } else if (credentials.empty()) {
        credentials.emplace_back();
    }
    for (Provider::Credential& credential : credentials) {
        credential.fingerprint = sigv4::sha256_hex(credential.field);
    }
    return credentials;
}

}  // namespace

// The credentials, and the key of the day, which all threads share.
struct Provider::Signer {
    sigv4::Credentials credentials;
    sigv4::Scope scope;
    mutable std::mutex mutex;  // held for a copy of a pointer
    mutable std::shared_ptr<const sigv4::SigningKey> key;

    std::shared_ptr<const sigv4::SigningKey> key_of(WallTime now) const {
        {
            const std::lock_guard lock(mutex);
            if (key && key->fits(now)) {
                return key;
            }
        }
        auto fresh =
            std::make_shared<const sigv4::SigningKey>(credentials.secret_access_key, scope, now);
        const std::lock_guard lock(mutex);
        key = fresh;
        return fresh;
    }
};

Provider::~Provider() = default;

Provider::Provider(const ProviderSection& section, std::shared_ptr<net::Upstream> upstream)
    : name_(section.name),
      kind_(*section.kind),
      upstream_(std::move(upstream)),
      pass_through_(section.pass_through),
      has_ca_file_(!section.ca_file.empty()),
      shared_files_(section.shared_files),
      forward_headers_(section.forward_headers),
      health_(section.health),
      credentials_(credentials_of(section)) {
    if (health_) {
        const std::string_view path =
            health_->path.empty() ? kind_.models_path : std::string_view(health_->path);
        probe_head_ = "GET " + join_paths(base_url_of(section).path, path) + " HTTP/1.1\r\n";
        net::append_field(probe_head_, "host", upstream_->authority());
        net::append_field(probe_head_, "user-agent", "weir");
        net::append_field(probe_head_, "accept-encoding", "identity");
    }
    const auto endpoints =
        section.api_version.empty() ? kind_.endpoints : kind_.versioned_endpoints;
    for (const Endpoint& endpoint : endpoints) {
        const std::string_view stream_path =
            endpoint.stream_path.empty() ? endpoint.path : endpoint.stream_path;
        endpoints_.push_back(
            {.surface = endpoint.surface,
             .operation = endpoint.operation,
             .dialect = endpoint.dialect.value_or(llm::dialect_of(endpoint.surface)),
             .whole = make_head(section, endpoint.surface, endpoint.path),
             .stream = make_head(section, endpoint.surface, stream_path)});
    }
    if (kind_.auth == Auth::aws && section.bearer_token.empty()) {
        signer_ = std::unique_ptr<const Signer>(new Signer{
            .credentials = {.access_key_id = section.access_key_id,
                            .secret_access_key = section.secret_access_key,
                            .session_token = section.session_token},
            .scope = {.region = section.region, .service = std::string(kind_.aws_service)}});
    }
}

void Provider::begin_probe_head(std::string& into) const {
    into = probe_head_;
    into += credentials_.front().field;
    if (!kind_.version_field.empty()) {
        net::append_field(into, kind_.version_field, kind_.version);
    }
}

void Provider::begin_item_head(const Way& way,
                               std::string_view method,
                               std::string_view item,
                               std::size_t credential,
                               std::string& into) const {
    // "POST /v1/responses HTTP/1.1" and the fields behind it.
    const std::string_view head = endpoints_[way.endpoint].whole.before;
    const std::size_t path = head.find(' ') + 1;
    const std::size_t version = head.find(' ', path);
    into = method;
    into += ' ';
    into += head.substr(path, version - path);
    into += '/';
    into += item;
    into += head.substr(version);
    into += credentials_[credential].field;
}

void Provider::sign(std::span<const std::string_view> body, WallTime now, std::string& head) const {
    if (signer_ == nullptr) {
        return;
    }
    std::string joined;
    for (const std::string_view piece : body) {
        joined += piece;
    }
    const std::string digest = sigv4::sha256_hex(joined);
    // "POST /path?query HTTP/1.1"
    std::string_view target(head);
    target = target.substr(target.find(' ') + 1);
    target = target.substr(0, target.find(' '));
    const std::size_t question = std::min(target.find('?'), target.size());
    const sigv4::Field fields[] = {{"host", upstream_->authority()},
                                   {"content-type", "application/json"}};
    const auto signature = sigv4::sign(
        {.method = "POST",
         .path = target.substr(0, question),
         .query = question < target.size() ? target.substr(question + 1) : std::string_view{},
         .headers = fields,
         .payload_sha256 = digest},
        signer_->credentials,
        *signer_->key_of(now),
        now);
    net::append_field(head, "x-amz-date", signature.date);
    net::append_field(head, "authorization", signature.authorization);
    if (!signer_->credentials.session_token.empty()) {
        net::append_field(
            head, "x-amz-security-token", signer_->credentials.session_token.reveal());
    }
}

Provider::Head Provider::make_head(const ProviderSection& section,
                                   llm::Surface surface,
                                   std::string_view path) const {
    std::string target = join_paths(base_url_of(section).path, path);
    if (!section.api_version.empty()) {
        target += "?api-version=";
        target += sigv4::uri_encode(section.api_version);
    }
    std::string head = "POST " + target + " HTTP/1.1\r\n";
    net::append_field(head, "host", upstream_->authority());
    net::append_field(head, "user-agent", "weir");
    const bool passes = llm::passes_through(surface);  // sounds and forms, too
    net::append_field(head, "accept", passes ? "*/*" : "application/json, text/event-stream");
    // What comes back is read and spliced as it is.
    net::append_field(head, "accept-encoding", "identity");
    if (!passes) {
        net::append_field(head, "content-type", "application/json");
    }
    const std::size_t model = head.find(kModel);
    if (model == std::string::npos) {
        return {.before = std::move(head)};
    }
    return {.before = head.substr(0, model),
            .after = head.substr(model + kModel.size()),
            .names_model = true};
}

std::optional<std::size_t> Provider::find_credential(std::string_view name) const {
    const auto found = std::ranges::find(credentials_, name, &Credential::name);
    return found == credentials_.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - credentials_.begin()));
}

std::optional<Way> Provider::way(llm::Surface surface,
                                 llm::Dialect dialect,
                                 llm::Operation operation) const {
    const auto find = [&](llm::Surface wanted) {
        return std::find_if(endpoints_.begin(), endpoints_.end(), [&](const Heads& heads) {
            return heads.surface == wanted && heads.operation == operation;
        });
    };
    // Counting and embeddings exist in several forms.
    if (const auto own = find(surface); own != endpoints_.end()) {
        return Way{.endpoint = static_cast<std::size_t>(own - endpoints_.begin()),
                   .is_translated = own->dialect != dialect,
                   .dialect = own->dialect};
    }
    if (!llm::is_generation(surface)) {
        return std::nullopt;
    }
    const auto other = find(llm::surface_of(kind_.dialect));
    if (other == endpoints_.end()) {
        return std::nullopt;
    }
    return Way{.endpoint = static_cast<std::size_t>(other - endpoints_.begin()),
               .is_translated = true,
               .dialect = other->dialect};
}

void Provider::begin_head(const Way& way,
                          std::string_view model,
                          bool is_stream,
                          std::size_t credential,
                          std::string& into) const {
    const Heads& heads = endpoints_[way.endpoint];
    const Head& head = is_stream ? heads.stream : heads.whole;
    into = head.before;
    if (head.names_model) {
        constexpr std::string_view kResource = "models/";  // as Google's own clients may name it
        into += sigv4::uri_encode(model.starts_with(kResource) ? model.substr(kResource.size())
                                                               : model);
        into += head.after;
    }
    into += credentials_[credential].field;
}

Result<std::shared_ptr<const Provider>> Provider::make(
    const ProviderSection& section,
    unsigned threads,
    net::Resolver& resolver,
    std::span<const std::shared_ptr<const Provider>> previous) {
    const BaseUrl url = base_url_of(section);
    net::UpstreamOptions options{
        .host = url.host,
        .port = url.port,
        .connections_max = static_cast<std::size_t>(section.connections_max),
        .idle_max = std::chrono::seconds{section.kind->idle_seconds},
        .threads = threads};
    const auto is_same = [&](const std::shared_ptr<const Provider>& other) {
        const net::UpstreamOptions& theirs = other->upstream()->options();
        return other->name() == section.name && theirs.host == options.host &&
               theirs.port == options.port && (theirs.tls != nullptr) == url.tls &&
               !other->has_ca_file_ && theirs.connections_max == options.connections_max &&
               theirs.idle_max == options.idle_max && theirs.threads == options.threads;
    };
    std::shared_ptr<net::Upstream> upstream;
    if (const auto found = std::find_if(previous.begin(), previous.end(), is_same);
        section.ca_file.empty() && found != previous.end()) {
        upstream = (*found)->upstream();
    } else {
        if (url.tls) {
            WEIR_TRY(options.tls, net::TlsContext::client(section.ca_file));
        }
        upstream = std::make_shared<net::Upstream>(std::move(options), resolver);
    }
    return std::shared_ptr<const Provider>(new Provider(section, std::move(upstream)));
}

}  // namespace weir::provider
