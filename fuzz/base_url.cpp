// Any text: what is taken for a base URL can be written into a request as it is, and read again.
#include <fmt/format.h>

#include <cstdint>

#include "base/assert.h"
#include "provider/base_url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto url = weir::provider::parse_base_url({reinterpret_cast<const char*>(data), size});
    if (!url) {
        return 0;
    }
    WEIR_ASSERT(!url->host.empty());
    WEIR_ASSERT(url->port > 0);
    WEIR_ASSERT(!url->path.ends_with('/'));
    for (const char c : url->host + url->path) {
        WEIR_ASSERT(c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '\\');
    }
    WEIR_ASSERT(url->host.find_first_of("@/[]") == std::string::npos);
    const bool is_ipv6 = url->host.find(':') != std::string::npos;
    const auto again = weir::provider::parse_base_url(fmt::format("{}://{}{}{}:{}{}",
                                                                  url->tls ? "https" : "http",
                                                                  is_ipv6 ? "[" : "",
                                                                  url->host,
                                                                  is_ipv6 ? "]" : "",
                                                                  url->port,
                                                                  url->path));
    WEIR_ASSERT(again && again->tls == url->tls && again->host == url->host);
    WEIR_ASSERT(again->port == url->port && again->path == url->path);
    return 0;
}
