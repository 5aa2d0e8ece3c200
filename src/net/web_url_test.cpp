#include "net/web_url.h"

#include <gtest/gtest.h>

namespace weir::net {
namespace {

struct UrlCase {
    std::string_view text;
    std::string_view canonical;  // empty: refused
};

TEST(WebUrl, IsReadInOneWayOrNotAtAll) {
    const std::string label(63, 'a');
    const std::string long_label = "https://" + label + "a.example/";
    const std::string good_label = "https://" + label + ".example/";
    const std::string long_host =
        "https://" + label + "." + label + "." + label + "." + label + "/";
    const std::string long_path = "https://h.example/" + std::string(kWebUrlBytesMax, 'a');
    const std::string long_when_escaped =
        "https://h.example/" + std::string(kWebUrlBytesMax / 2, '\xc3');
    for (const UrlCase& c : {
             UrlCase{"https://h.example", "https://h.example/"},
             UrlCase{"HTTPS://H.Example:443/A", "https://h.example/A"},
             UrlCase{"http://h.example:80/", "http://h.example/"},
             UrlCase{"http://h.example:443/", "http://h.example:443/"},
             UrlCase{"https://h.example:8443/a?b=c&d#e", "https://h.example:8443/a?b=c&d"},
             UrlCase{"https://h.example?q", "https://h.example/?q"},
             UrlCase{"https://h.example#x", "https://h.example/"},
             UrlCase{"https://h.example/a@b:c", "https://h.example/a@b:c"},
             UrlCase{"https://my_bucket.s3.example/x", "https://my_bucket.s3.example/x"},
             UrlCase{"https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"},
             UrlCase{"https://h.example/\xc3\xa4?\xc3\xb6", "https://h.example/%C3%A4?%C3%B6"},
             UrlCase{"https://1.2.3.4/", "https://1.2.3.4/"},
             UrlCase{"https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443/"},
             UrlCase{"https://[::ffff:1.2.3.4]/", "https://[::ffff:1.2.3.4]/"},
             UrlCase{"https://localhost/", "https://localhost/"},
             UrlCase{"https://1.example/", "https://1.example/"},
             UrlCase{"https://0xfg/", "https://0xfg/"},
             UrlCase{good_label, good_label},
             // schemes
             UrlCase{"", ""},
             UrlCase{"h.example/a.png", ""},
             UrlCase{"//h.example/a.png", ""},
             UrlCase{"ftp://h.example/", ""},
             UrlCase{"file:///etc/passwd", ""},
             UrlCase{"gopher://h.example/", ""},
             UrlCase{"data:image/png;base64,AA==", ""},
             UrlCase{"https:/h.example/", ""},
             UrlCase{"https:h.example", ""},
             UrlCase{" https://h.example/", ""},
             // users, and what looks like them
             UrlCase{"https://user@h.example/", ""},
             UrlCase{"https://user:pass@h.example/", ""},
             UrlCase{"https://h.example@127.0.0.1/", ""},
             UrlCase{"https://h.example:443@127.0.0.1/", ""},
             UrlCase{"https://@h.example/", ""},
             UrlCase{"https://127.0.0.1\\@h.example/", ""},
             UrlCase{"https://h.example\\.evil.example/", ""},
             // hosts
             UrlCase{"https://", ""},
             UrlCase{"https:///a", ""},
             UrlCase{"https://:443/", ""},
             UrlCase{"https://.example/", ""},
             UrlCase{"https://h..example/", ""},
             UrlCase{"https://h.example./", ""},
             UrlCase{"https://-h.example/", ""},
             UrlCase{"https://h-.example/", ""},
             UrlCase{"https://h%2eexample/", ""},
             UrlCase{"https://h example/", ""},
             UrlCase{"https://h\t.example/", ""},
             UrlCase{"https://h\r\nhost:x/", ""},
             UrlCase{"https://b\xc3\xbc.example/", ""},
             UrlCase{"https://\xe2\x91\xa0\xe2\x91\xa1.example/", ""},  // digits in circles
             UrlCase{"https://h,example/", ""},
             UrlCase{long_label, ""},
             UrlCase{long_host, ""},
             // addresses in other forms than the one
             UrlCase{"https://2130706433/", ""},
             UrlCase{"https://127.1/", ""},
             UrlCase{"https://127.0.1/", ""},
             UrlCase{"https://0177.0.0.1/", ""},
             UrlCase{"https://0x7f.0.0.1/", ""},
             UrlCase{"https://0x7f000001/", ""},
             UrlCase{"https://0X7F.1/", ""},
             UrlCase{"https://0x/", ""},
             UrlCase{"https://017700000001/", ""},
             UrlCase{"https://127.0.0.1./", ""},
             UrlCase{"https://127.0.0.01/", ""},
             UrlCase{"https://127.0.0.256/", ""},
             UrlCase{"https://1.2.3.4.5/", ""},
             UrlCase{"https://h.example.0x1/", ""},
             UrlCase{"https://h.9/", ""},
             UrlCase{"https://[127.0.0.1]/", ""},
             UrlCase{"https://[::1/", ""},
             UrlCase{"https://[::1]x/", ""},
             UrlCase{"https://[]/", ""},
             UrlCase{"https://[fe80::1%25eth0]/", ""},
             UrlCase{"https://[fe80::1%eth0]/", ""},
             UrlCase{"https://[::ffff:0x7f.0.0.1]/", ""},
             UrlCase{"https://::1/", ""},
             // ports
             UrlCase{"https://h.example:/", ""},
             UrlCase{"https://h.example:0/", ""},
             UrlCase{"https://h.example:65536/", ""},
             UrlCase{"https://h.example:+80/", ""},
             UrlCase{"https://h.example:80:80/", ""},
             UrlCase{"https://h.example:0x50/", ""},
             // targets
             UrlCase{"https://h.example/a b", ""},
             UrlCase{"https://h.example/a\\b", ""},
             UrlCase{"https://h.example/a\r\nx: y", ""},
             UrlCase{std::string_view("https://h.example/\0", 19), ""},
             UrlCase{"https://h.example/\x7f", ""},
             UrlCase{long_path, ""},
             UrlCase{long_when_escaped, ""},
         }) {
        const auto url = parse_web_url(c.text);
        ASSERT_EQ(url.has_value(), !c.canonical.empty()) << c.text;
        if (url) {
            EXPECT_EQ(to_text(*url), c.canonical);
            EXPECT_EQ(parse_web_url(to_text(*url)).value(), *url) << c.text;
        } else {
            EXPECT_EQ(url.error().code(), Code::invalid_request);
            EXPECT_FALSE(url.error().message().empty());
        }
    }
}

struct ReferenceCase {
    std::string_view base, location, leads_to;
};

TEST(WebUrl, LeadsOnAsLocationsSay) {
    for (const ReferenceCase& c : {
             ReferenceCase{"https://h/a/b?c", "https://o/x", "https://o/x"},
             ReferenceCase{"https://h/a/b?c", "http://o/x", "http://o/x"},
             ReferenceCase{"https://h/a/b?c", "//o:8443/x", "https://o:8443/x"},
             ReferenceCase{"http://h/a/b?c", "//o/x", "http://o/x"},
             ReferenceCase{"https://h:8443/a/b?c", "/x/y?z", "https://h:8443/x/y?z"},
             ReferenceCase{"https://[2001:db8::1]:8443/a", "/x", "https://[2001:db8::1]:8443/x"},
             ReferenceCase{"https://h/a/b?c/d", "x", "https://h/a/x"},
             ReferenceCase{"https://h", "x", "https://h/x"},
             ReferenceCase{"https://h/a/b?c", "?d", "https://h/a/b?d"},
             ReferenceCase{"https://h/a/b?c", "#d", "https://h/a/b?c"},
             ReferenceCase{"https://h/a", "/x#f", "https://h/x"},
             ReferenceCase{"https://h/a", "file:///etc/passwd", ""},
             ReferenceCase{"https://h/a", "javascript:x", ""},
             ReferenceCase{"https://h/a", "//127.1/", ""},
             ReferenceCase{"https://h/a", "//u@o/", ""},
             ReferenceCase{"https://h/a", "/a b", ""},
             ReferenceCase{"https://h/a", "\\\\o/x", ""},
             ReferenceCase{"https://h/a", "https:/x", ""},
         }) {
        const auto url = resolve_reference(parse_web_url(c.base).value(), c.location);
        EXPECT_EQ(url ? to_text(*url) : "", c.leads_to) << c.base << " " << c.location;
    }
}

}  // namespace
}  // namespace weir::net
