#include "provider/provider.h"

#include "net/http_encode.h"

namespace weir::provider {
namespace {

std::string make_head(const ProviderSection& section,
                      const BaseUrl& url,
                      const net::Upstream& upstream,
                      std::string_view path) {
    std::string head = "POST " + url.path + std::string(path) + " HTTP/1.1\r\n";
    net::append_field(head, "host", upstream.authority());
    net::append_field(head, "user-agent", "weir");
    net::append_field(head, "accept", "application/json, text/event-stream");
    // What comes back is read and spliced as it is.
    net::append_field(head, "accept-encoding", "identity");
    net::append_field(head, "content-type", "application/json");
    if (!section.api_key.empty()) {
        switch (section.kind->auth) {
            case Auth::bearer:
                net::append_field(
                    head, "authorization", "Bearer " + std::string(section.api_key.reveal()));
                break;
            case Auth::api_key_header:
                net::append_field(head, "api-key", section.api_key.reveal());
                break;
            case Auth::none:
                break;
        }
    }
    return head;
}

}  // namespace

Provider::Provider(const ProviderSection& section, std::shared_ptr<net::Upstream> upstream)
    : name_(section.name),
      kind_(*section.kind),
      upstream_(std::move(upstream)),
      pass_through_(section.pass_through),
      forward_headers_(section.forward_headers) {
    const BaseUrl url = base_url_of(section);
    chat_head_ = make_head(section, url, *upstream_, kind_.chat_path);
    embeddings_head_ = make_head(section, url, *upstream_, kind_.embeddings_path);
}

Result<std::shared_ptr<const Provider>> Provider::make(const ProviderSection& section,
                                                       unsigned threads,
                                                       net::Resolver& resolver) {
    const BaseUrl url = base_url_of(section);
    std::shared_ptr<net::TlsContext> tls;
    if (url.tls) {
        WEIR_TRY(tls, net::TlsContext::client(section.ca_file));
    }
    const net::UpstreamOptions options{
        .host = url.host,
        .port = url.port,
        .tls = std::move(tls),
        .connections_max = static_cast<std::size_t>(section.connections_max),
        .idle_max = std::chrono::seconds{section.kind->idle_seconds},
        .threads = threads};
    return std::shared_ptr<const Provider>(
        new Provider(section, std::make_shared<net::Upstream>(options, resolver)));
}

}  // namespace weir::provider
