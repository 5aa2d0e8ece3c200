// HTTP/1.1 message heads, read strictly (RFC 9110, RFC 9112): what two parsers could read in two
// ways is refused. Sans I/O, no allocation. Parsers are incremental by line, so a fault is reported
// as soon as its line is complete, and a head that drips in costs no more than one line's rescan
// per read.
//
// Views refer to the bytes given to the last parse(); the caller keeps those in one contiguous
// buffer.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace weir::net {

enum class Method : std::uint8_t {
    get,
    head,
    post,
    put,
    patch,
    delete_,
    options,
    trace,
    connect,
    other
};

// The fields Weir itself looks at; everything else is `other` and found by name.
enum class KnownHeader : std::uint8_t {
    other,
    host,
    content_length,
    transfer_encoding,
    connection,
    keep_alive,
    proxy_connection,
    te,
    trailer,
    upgrade,
    expect,
    authorization,
    proxy_authorization,
    content_type,
    content_encoding,
    accept_encoding,
    x_api_key,
    x_request_id,
    x_forwarded_for,
    traceparent,
    tracestate,
    retry_after,
    date,
    server,
};
// `field_name` is a token.
KnownHeader classify(std::string_view field_name);

// DESIGN section 11. Lengths are without the line's CRLF; `fields_bytes_max` counts all field lines
// with them.
struct HeadLimits {
    std::size_t request_line_bytes_max = 8u << 10;
    std::size_t field_bytes_max = 8u << 10;
    std::size_t fields_bytes_max = 32u << 10;
};
inline constexpr std::size_t kFieldsMax = 100;
inline constexpr std::size_t kUpstreamHeadBytesMax = 64u << 10;

struct Field {
    std::string_view name;
    std::string_view value;
    KnownHeader known;
};

// The field lines of a head, stored as offsets so that the bytes may move while the head arrives.
class Fields {
public:
    std::size_t size() const { return count_; }
    Field operator[](std::size_t index) const {
        const Span& span = spans_[index];
        return {{base_ + span.name_at, span.name_size},
                {base_ + span.value_at, span.value_size},
                span.known};
    }
    // The first value; empty where there is none.
    std::string_view find(KnownHeader known) const;
    std::string_view find(std::string_view name) const;

private:
    friend class HeadReader;
    struct Span {
        std::uint32_t name_at, value_at;
        std::uint16_t name_size, value_size;
        KnownHeader known;
    };
    const char* base_ = nullptr;
    std::array<Span, kFieldsMax> spans_;  // only [0, count_) is ever read
    std::size_t count_ = 0;
};

// What both kinds of head say about the bytes that follow.
struct Framing {
    std::optional<std::uint64_t> content_length;
    bool is_chunked = false;
    bool keep_alive = true;
};

struct RequestHead : Framing {
    Method method = Method::other;
    std::string_view method_text;
    std::string_view target;  // as it came; origin-form, or `*` for OPTIONS
    std::string_view path;    // raw, not decoded, not normalised
    std::string_view query;   // after the first `?`
    int minor_version = 1;
    bool expects_continue = false;
    bool has_unknown_expectation = false;
    Fields fields;

    std::string_view find(KnownHeader known) const { return fields.find(known); }
    std::string_view find(std::string_view name) const { return fields.find(name); }
};

struct ResponseHead : Framing {
    int status = 0;
    bool has_no_body = false;  // by status or by the method of the request
    Fields fields;

    std::string_view find(KnownHeader known) const { return fields.find(known); }
    std::string_view find(std::string_view name) const { return fields.find(name); }
};

// What both parsers share: cutting lines and reading fields.
class HeadReader {
public:
    // Bytes of the head with its blank line; meaningful once parse() said true.
    std::size_t size() const { return at_; }

protected:
    explicit HeadReader(Code fault) : fault_(fault) {}
    void restart();
    Failure refuse(std::string_view why) const;
    // One complete line without its CRLF from at_ on; nullopt: more bytes are needed.
    Result<std::optional<std::string_view>> next_line(std::string_view bytes,
                                                      std::size_t bytes_max,
                                                      Code too_long) const;
    Result<void> add_field(std::string_view line, std::string_view bytes, Fields& fields);
    // The next line, where it is a whole field in good order of at most `bytes_max`, as nearly all
    // are. false: nothing was taken; next_line() and add_field() say what is there.
    bool take_plain_field(std::string_view bytes, std::size_t bytes_max, Fields& fields);
    static void move_fields(Fields& fields, std::string_view bytes) { fields.base_ = bytes.data(); }
    Result<void> read_framing(const Field& field, Framing& framing);
    Result<void> finish_framing(Framing& framing, int minor_version) const;

    Code fault_;
    std::size_t at_ = 0;
    std::size_t fields_begin_ = 0;
    bool start_line_done_ = false;
    bool has_transfer_encoding_ = false;
    bool says_close_ = false;
    bool says_keep_alive_ = false;
};

class RequestHeadParser : public HeadReader {
public:
    explicit RequestHeadParser(const HeadLimits& limits = {})
        : HeadReader(Code::invalid_framing), limits_(limits) {}

    // Everything received since the start of this message. true: the head is complete. Errors:
    // invalid_framing, uri_too_long, headers_too_large.
    Result<bool> parse(std::string_view bytes);
    const RequestHead& head() const { return head_; }
    // The complete head's bytes were moved to another place: its views follow.
    void rebase(std::string_view bytes);
    void reset();

private:
    Result<void> read_request_line(std::string_view line);
    Result<void> take_in(const Field& field, bool is_plain);
    Failure too_large() const;
    Result<void> finish(std::string_view bytes);

    HeadLimits limits_;
    RequestHead head_;
    std::uint32_t method_at_ = 0, target_at_ = 0;
    std::size_t hosts_ = 0;
};

class ResponseHeadParser : public HeadReader {
public:
    ResponseHeadParser() : HeadReader(Code::upstream_invalid_response) {}

    // As above; every fault is upstream_invalid_response.
    Result<bool> parse(std::string_view bytes);
    const ResponseHead& head() const { return head_; }
    // `request` decides whether a body may follow.
    void reset(Method request);

private:
    Result<void> read_status_line(std::string_view line);

    ResponseHead head_;
    Method request_ = Method::get;
    int minor_version_ = 1;
};

}  // namespace weir::net
