// URLs of strangers: what is read is read in one way only, and fits into a request line. The first
// line is a URL, the second a Location seen from it.
#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "base/text.h"
#include "net/address.h"
#include "net/egress.h"
#include "net/web_url.h"

namespace {

void check(const weir::net::WebUrl& url) {
    using namespace weir::net;
    WEIR_ASSERT(url.target.starts_with('/') && url.target.size() <= kWebUrlBytesMax);
    WEIR_ASSERT(std::all_of(url.target.begin(), url.target.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '\\' && c != '#';
    }));
    WEIR_ASSERT(!url.host.empty() && url.port != 0);
    const auto ip = parse_ip(url.host);
    if (!ip) {
        // A name: nothing that a resolver would take for a number, nothing that ends the field.
        WEIR_ASSERT(std::all_of(url.host.begin(), url.host.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                   c == '.';
        }));
        const std::string last = url.host.substr(url.host.rfind('.') + 1);
        WEIR_ASSERT(!weir::parse_decimal(last) && !last.empty());
    } else {
        WEIR_ASSERT(!check_address({}, *ip, 443) || range_of(*ip) == AddressRange::global);
    }
    const auto again = parse_web_url(to_text(url));
    WEIR_ASSERT(to_text(url).size() > kWebUrlBytesMax || (again && *again == url));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::size_t line = bytes.find('\n');
    const auto url = weir::net::parse_web_url(bytes.substr(0, line));
    if (!url) {
        return 0;
    }
    check(*url);
    if (line != std::string_view::npos) {
        if (const auto next = weir::net::resolve_reference(*url, bytes.substr(line + 1))) {
            check(*next);
        }
    }
    return 0;
}
