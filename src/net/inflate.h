// A compressed body made plain: `gzip` (RFC 1952, also several members) and `deflate` (RFC 1950,
// and the bare RFC 1951 that some servers mean). Nobody here asks for either, yet some upstreams,
// and proxies before them, answer so. Sans I/O: any split of the bytes gives the same. Its memory
// does not grow with what comes out: a bomb meets the limit on plain bytes, here and at whoever
// gathers them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace weir::net {

enum class Coding : std::uint8_t { gzip, deflate };

// Of a Content-Encoding field; unset: the body is plain. Error: upstream_invalid_response that
// names a coding which is not understood here, such as br and zstd, or several one upon the other.
Result<std::optional<Coding>> read_coding(std::string_view content_encoding);

// Of one answer, whole or streamed: four times what a whole one may have. A kilobyte of zeros takes
// one byte, so that a megabyte a client waits for could keep a thread busy for a gigabyte.
inline constexpr std::uint64_t kInflatedBytesMax = 256u << 20;

class Inflater {
public:
    explicit Inflater(Coding coding, std::uint64_t plain_bytes_max = kInflatedBytesMax);
    ~Inflater();
    Inflater(const Inflater&) = delete;

    // Takes the next compressed bytes; a copy is kept of what is not used up at once. Call next()
    // until it gives nothing before feeding more.
    void feed(std::string_view compressed);
    // The next plain bytes, at most a buffer full, valid until the next call; empty: it wants more
    // compressed ones. Errors: upstream_invalid_response (they are broken, or too many).
    Result<std::string_view> next();
    // There are no more compressed bytes. Error: upstream_invalid_response where something is
    // missing.
    Result<void> finish() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace weir::net
