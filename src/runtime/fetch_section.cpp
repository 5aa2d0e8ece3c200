#include "runtime/fetch_section.h"

#include <fmt/format.h>

#include "runtime/network_type.h"

namespace weir::runtime {
namespace {

// What some provider takes inline; anything else is no business of a model's.
config::Type<std::string> media_type() {
    return config::word<std::string>({{"image/*", "image/*"},
                                      {"application/pdf", "application/pdf"},
                                      {"text/plain", "text/plain"},
                                      {"audio/*", "audio/*"},
                                      {"video/*", "video/*"}});
}

void check(const FetchSection& section, const config::Position& at, config::Reporter& reporter) {
    if (section.types.empty()) {
        reporter.report(at.node.find("types")->place, at.path + ".types", "at least one type");
    }
    if (section.bytes_max == 0 || section.bytes_max > kFetchBytesMost) {
        reporter.report(at.node.find("bytes_max")->place,
                        at.path + ".bytes_max",
                        fmt::format("expected 1 to {}MiB", kFetchBytesMost >> 20));
    }
}

}  // namespace

config::Section fetch_section() {
    config::Object<FetchSection> fetch;
    fetch
        .field("enabled",
               &FetchSection::enabled,
               config::boolean(),
               "get what clients name by a URL where the provider does not, and send it inline; "
               "false unless set")
        .field("allow_http",
               &FetchSection::allow_http,
               config::boolean(),
               "from http URLs, too; only https unless set")
        .field("allow_private",
               &FetchSection::allow_private,
               config::list(network_type()),
               "networks that are not public and may be asked all the same, at any port; none "
               "unless set; addresses where clouds hand out credentials never are")
        .field("bytes_max",
               &FetchSection::bytes_max,
               config::size(),
               "how large the files of one call may be together; 20MiB unless set")
        .field("timeout",
               &FetchSection::timeout,
               config::duration(std::chrono::milliseconds{1}, std::chrono::minutes{5}),
               "how long it may take to get all files of one call; 10s unless set")
        .field("types",
               &FetchSection::types,
               config::list(media_type()),
               "what files may be; image/* and application/pdf unless set")
        .field("per_call_max",
               &FetchSection::per_call_max,
               config::integer(1, kFetchesPerCallMost),
               "how many different URLs one call may name; 8 unless set")
        .field("ca_file",
               &FetchSection::ca_file,
               config::text(),
               "PEM file with the authorities to trust; the system's unless set")
        .check(&check);
    return config::section<FetchSection>("fetch", "files that clients name by URLs", fetch.type());
}

}  // namespace weir::runtime
