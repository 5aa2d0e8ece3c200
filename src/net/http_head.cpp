#include "net/http_head.h"

#include <fmt/format.h>

#include <cstring>

#include "base/byte_blocks.h"
#include "base/text.h"

namespace weir::net {
namespace {

constexpr AsciiSet letters_and_digits(std::string_view others) {
    AsciiSet set(others);
    set.add('0', '9');
    set.add('a', 'z');
    set.add('A', 'Z');
    return set;
}
constexpr AsciiSet kToken = letters_and_digits("!#$%&'*+-.^_`|~");
// What names of fields are made of, without what a request's must not hold.
constexpr AsciiSet kPlainName = letters_and_digits("!#$%&'*+-.^`|~");
constexpr AsciiSet kHost = letters_and_digits("-._~:[]%!$&'()*+;=");
constexpr AsciiSet kControl = [] {
    AsciiSet set("\x7f");
    set.add(0, '\t' - 1);
    set.add('\t' + 1, 0x1f);
    return set;
}();

bool is_token(std::string_view text) {
    return !text.empty() && find_not_in(text, kToken) == text.size();
}

// Visible, space, tab, obs-text: no CR, LF, NUL or other control.
bool is_field_value(std::string_view text) { return find_in(text, kControl) == text.size(); }

bool is_host(std::string_view text) {
    return !text.empty() && find_not_in(text, kHost) == text.size();
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Whether a token is `known`, of small letters and '-': of the characters of tokens only capital
// letters become one of these by that bit.
template <std::size_t kSize>
bool is_name(std::string_view token, const char (&known)[kSize]) {
    constexpr std::size_t kBytes = kSize - 1;
    if (token.size() != kBytes) {
        return false;
    }
    const auto word = [](const char* at, std::size_t bytes) {
        std::uint64_t value = 0;
        std::memcpy(&value, at, bytes);
        return value;
    };
    constexpr std::uint64_t kSmall = 0x2020'2020'2020'2020;
    std::uint64_t different = 0;
    std::size_t at = 0;
    for (; at + 8 <= kBytes; at += 8) {
        different |= (word(token.data() + at, 8) | kSmall) ^ word(known + at, 8);
    }
    if constexpr (kBytes % 8 != 0) {
        constexpr std::uint64_t kRest = kSmall >> (8 * (8 - kBytes % 8));
        different |= (word(token.data() + at, kBytes % 8) | kRest) ^ word(known + at, kBytes % 8);
    }
    return different == 0;
}

bool is_target(std::string_view text) {
    unsigned char bad = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        bad |= static_cast<unsigned char>((byte <= 0x20) | (byte >= 0x7f) | (byte == '#'));
    }
    return bad == 0;
}

Method read_method(std::string_view text) {
    switch (text.size()) {
        case 3:
            return text == "GET" ? Method::get : text == "PUT" ? Method::put : Method::other;
        case 4:
            return text == "POST" ? Method::post : text == "HEAD" ? Method::head : Method::other;
        case 5:
            return text == "PATCH"   ? Method::patch
                   : text == "TRACE" ? Method::trace
                                     : Method::other;
        case 6:
            return text == "DELETE" ? Method::delete_ : Method::other;
        case 7:
            return text == "OPTIONS"   ? Method::options
                   : text == "CONNECT" ? Method::connect
                                       : Method::other;
        default:
            return Method::other;
    }
}

// Digits only, at most 18 of them: what fits into 64 bits without a thought about overflow.
std::optional<std::uint64_t> read_length(std::string_view text) {
    return text.size() <= 18 ? parse_decimal(text) : std::nullopt;
}

}  // namespace

KnownHeader classify(std::string_view name) {
    const auto is = [name](const auto& known) { return is_name(name, known); };
    using enum KnownHeader;
    switch (name.size()) {
        case 2:
            return is("te") ? te : other;
        case 4:
            return is("host") ? host : is("date") ? date : other;
        case 6:
            return is("expect") ? expect : is("server") ? server : other;
        case 7:
            return is("upgrade") ? upgrade : is("trailer") ? trailer : other;
        case 9:
            return is("x-api-key") ? x_api_key : other;
        case 10:
            return is("connection")   ? connection
                   : is("keep-alive") ? keep_alive
                   : is("tracestate") ? tracestate
                                      : other;
        case 11:
            return is("traceparent") ? traceparent : is("retry-after") ? retry_after : other;
        case 12:
            return is("content-type") ? content_type : is("x-request-id") ? x_request_id : other;
        case 13:
            return is("authorization") ? authorization : other;
        case 14:
            return is("content-length") ? content_length : other;
        case 15:
            return is("accept-encoding")   ? accept_encoding
                   : is("x-forwarded-for") ? x_forwarded_for
                                           : other;
        case 16:
            return is("content-encoding")   ? content_encoding
                   : is("proxy-connection") ? proxy_connection
                                            : other;
        case 17:
            return is("transfer-encoding") ? transfer_encoding : other;
        case 19:
            return is("proxy-authorization") ? proxy_authorization : other;
        default:
            return other;
    }
}

std::string_view Fields::find(KnownHeader known) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (spans_[i].known == known) {
            return (*this)[i].value;
        }
    }
    return {};
}

std::string_view Fields::find(std::string_view name) const {
    for (std::size_t i = 0; i < count_; ++i) {
        if (spans_[i].name_size == name.size() && equals_ignoring_case((*this)[i].name, name)) {
            return (*this)[i].value;
        }
    }
    return {};
}

void HeadReader::restart() {
    at_ = fields_begin_ = 0;
    start_line_done_ = has_transfer_encoding_ = says_close_ = says_keep_alive_ = false;
}

Failure HeadReader::refuse(std::string_view why) const {
    if (fault_ == Code::upstream_invalid_response) {
        return fail(fault_, "The model provider gave an answer that cannot be used; try again.")
            .detail(std::string(why));
    }
    return fail(fault_, fmt::format("The request is not valid HTTP/1.1: {}.", why));
}

Result<std::optional<std::string_view>> HeadReader::next_line(std::string_view bytes,
                                                              std::size_t bytes_max,
                                                              Code too_long) const {
    const std::string_view rest = bytes.substr(at_);
    const auto* end = static_cast<const char*>(std::memchr(rest.data(), '\n', rest.size()));
    const std::size_t size =
        end == nullptr ? rest.size() : static_cast<std::size_t>(end - rest.data());
    // An unfinished line may hold one byte more: its CR.
    if (size > bytes_max + 1) {
        if (fault_ == Code::upstream_invalid_response) {
            return refuse("a line of the head is too long");
        }
        const std::string_view what =
            too_long == Code::uri_too_long ? "The request line" : "A header field";
        return fail(too_long, fmt::format("{} is longer than {} bytes.", what, bytes_max));
    }
    if (end == nullptr) {
        return std::optional<std::string_view>{};
    }
    if (size == 0 || rest[size - 1] != '\r') {
        return refuse("a line must end with CR LF");
    }
    return std::optional(rest.substr(0, size - 1));
}

Result<void> HeadReader::add_field(std::string_view line, std::string_view bytes, Fields& fields) {
    const std::size_t colon = find_not_in(line, kToken);
    if (colon == 0 || colon == line.size() || line[colon] != ':') {
        return refuse(
            "a header field must be `name: value`, without a space before the colon or a folded "
            "line");
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (!is_field_value(value)) {
        return refuse("a header value holds a control character");
    }
    if (fields.count_ == kFieldsMax) {
        if (fault_ == Code::upstream_invalid_response) {
            return refuse("too many fields");
        }
        return fail(Code::headers_too_large,
                    fmt::format("The request has more than {} header fields.", kFieldsMax));
    }
    fields.spans_[fields.count_++] = {static_cast<std::uint32_t>(name.data() - bytes.data()),
                                      static_cast<std::uint32_t>(value.data() - bytes.data()),
                                      static_cast<std::uint16_t>(name.size()),
                                      static_cast<std::uint16_t>(value.size()),
                                      classify(name)};
    fields.base_ = bytes.data();
    return {};
}

bool HeadReader::take_plain_field(std::string_view bytes, std::size_t bytes_max, Fields& fields) {
    const std::string_view rest = bytes.substr(at_);
    const std::size_t colon = find_not_in(rest, kPlainName);
    if (colon == 0 || colon == rest.size() || rest[colon] != ':' || fields.count_ == kFieldsMax) {
        return false;
    }
    std::size_t begin = colon + 1;
    while (begin < rest.size() && is_blank(rest[begin])) {
        ++begin;
    }
    // The first control character ends the value, and is in order only where it ends the line.
    const std::size_t line = begin + find_in(rest.substr(begin), kControl);
    if (line > bytes_max || rest.size() - line < 2 || rest[line] != '\r' ||
        rest[line + 1] != '\n') {
        return false;
    }
    std::size_t end = line;
    while (end > begin && is_blank(rest[end - 1])) {
        --end;
    }
    fields.spans_[fields.count_++] = {static_cast<std::uint32_t>(at_),
                                      static_cast<std::uint32_t>(at_ + begin),
                                      static_cast<std::uint16_t>(colon),
                                      static_cast<std::uint16_t>(end - begin),
                                      classify(rest.substr(0, colon))};
    fields.base_ = bytes.data();
    at_ += line + 2;
    return true;
}

Result<void> HeadReader::read_framing(const Field& field, Framing& framing) {
    switch (field.known) {
        case KnownHeader::content_length: {
            const auto length = read_length(field.value);
            if (!length || framing.content_length) {
                return refuse("Content-Length must be one number");
            }
            framing.content_length = length;
            return {};
        }
        case KnownHeader::transfer_encoding:
            if (has_transfer_encoding_ || !equals_ignoring_case(field.value, "chunked")) {
                return refuse("the only Transfer-Encoding known here is `chunked`, once");
            }
            has_transfer_encoding_ = true;
            return {};
        case KnownHeader::connection: {
            std::string_view rest = field.value;
            while (!rest.empty()) {
                const std::size_t comma = rest.find(',');
                const std::string_view option = trim(rest.substr(0, comma));
                says_close_ = says_close_ || equals_ignoring_case(option, "close");
                says_keep_alive_ = says_keep_alive_ || equals_ignoring_case(option, "keep-alive");
                rest =
                    comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
            }
            return {};
        }
        default:
            return {};
    }
}

Result<void> HeadReader::finish_framing(Framing& framing, int minor_version) const {
    if (has_transfer_encoding_ && framing.content_length) {
        return refuse("Content-Length and Transfer-Encoding exclude each other");
    }
    if (has_transfer_encoding_ && minor_version == 0) {
        return refuse("HTTP/1.0 knows no Transfer-Encoding");
    }
    framing.is_chunked = has_transfer_encoding_;
    framing.keep_alive = !says_close_ && (minor_version == 1 || says_keep_alive_);
    return {};
}

void RequestHeadParser::reset() {
    restart();
    static_cast<Framing&>(head_) = {};
    head_.fields = {};
    head_.expects_continue = head_.has_unknown_expectation = false;
    hosts_ = 0;
}

Result<bool> RequestHeadParser::parse(std::string_view bytes) {
    if (!start_line_done_) {
        // One empty line before a request is tolerated: old clients send it after a body.
        if (at_ == 0 && bytes.starts_with("\r\n")) {
            at_ = 2;
        }
        if (at_ == 0 && bytes == "\r") {
            return false;
        }
        WEIR_TRY(const auto line,
                 next_line(bytes, limits_.request_line_bytes_max, Code::uri_too_long));
        if (!line) {
            return false;
        }
        method_at_ = static_cast<std::uint32_t>(at_);
        WEIR_TRY(read_request_line(*line));
        target_at_ = static_cast<std::uint32_t>(head_.target.data() - bytes.data());
        at_ += line->size() + 2;
        fields_begin_ = at_;
        start_line_done_ = true;
    }
    for (;;) {
        const bool is_plain = take_plain_field(bytes, limits_.field_bytes_max, head_.fields);
        if (!is_plain) {
            WEIR_TRY(const auto line,
                     next_line(bytes, limits_.field_bytes_max, Code::headers_too_large));
            if (!line) {
                if (bytes.size() - fields_begin_ > limits_.fields_bytes_max + 2) {
                    return too_large();
                }
                return false;
            }
            if (line->empty()) {
                at_ += 2;
                WEIR_TRY(finish(bytes));
                return true;
            }
            WEIR_TRY(add_field(*line, bytes, head_.fields));
            at_ += line->size() + 2;
        }
        if (at_ - fields_begin_ > limits_.fields_bytes_max) {
            return too_large();
        }
        WEIR_TRY(take_in(head_.fields[head_.fields.size() - 1], is_plain));
    }
}

Failure RequestHeadParser::too_large() const {
    return fail(
        Code::headers_too_large,
        fmt::format("The header fields are larger than {} bytes.", limits_.fields_bytes_max));
}

Result<void> RequestHeadParser::take_in(const Field& field, bool is_plain) {
    if (!is_plain && field.name.find('_') != std::string_view::npos) {
        // Behind some proxies X_User and X-User are the same field: an attacker's way past an allow
        // list.
        return refuse("a header name must not contain `_`");
    }
    switch (field.known) {
        case KnownHeader::other:
            return {};
        case KnownHeader::host:
            ++hosts_;
            if (!is_host(field.value)) {
                return refuse("Host is not a host");
            }
            return {};
        case KnownHeader::expect:
            head_.expects_continue = equals_ignoring_case(field.value, "100-continue");
            head_.has_unknown_expectation = !head_.expects_continue;
            return {};
        default:
            return read_framing(field, head_);
    }
}

Result<void> RequestHeadParser::read_request_line(std::string_view line) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return refuse("the request line must be `METHOD /path HTTP/1.1`");
    }
    const std::string_view method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    if (!is_token(method) || !is_target(target)) {
        return refuse("the request line must be `METHOD /path HTTP/1.1`");
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return refuse("the version must be HTTP/1.1");
    }
    head_.method = read_method(method);
    // Origin-form only: a gateway is no forward proxy, and an absolute target would name a second
    // host.
    const bool asterisk = target == "*" && head_.method == Method::options;
    if (!target.starts_with('/') && !asterisk && head_.method != Method::connect) {
        return refuse("the target must be a path");
    }
    head_.minor_version = version.back() - '0';
    head_.method_text = method;
    head_.target = target;
    return {};
}

Result<void> RequestHeadParser::finish(std::string_view bytes) {
    if (hosts_ > 1 || (hosts_ == 0 && head_.minor_version == 1)) {
        return refuse("exactly one Host is needed");
    }
    WEIR_TRY(finish_framing(head_, head_.minor_version));
    // An old client would take the interim answer for the answer (RFC 9110 section 10.1.1).
    head_.expects_continue = head_.expects_continue && head_.minor_version == 1;
    rebase(bytes);
    return {};
}

void RequestHeadParser::rebase(std::string_view bytes) {
    move_fields(head_.fields, bytes);
    head_.method_text = bytes.substr(method_at_, head_.method_text.size());
    head_.target = bytes.substr(target_at_, head_.target.size());
    const std::size_t question = head_.target.find('?');
    head_.path = head_.target.substr(0, question);
    head_.query =
        question == std::string_view::npos ? std::string_view{} : head_.target.substr(question + 1);
}

void ResponseHeadParser::reset(Method request) {
    restart();
    static_cast<Framing&>(head_) = {};
    head_.fields = {};
    head_.has_no_body = false;
    request_ = request;
}

Result<bool> ResponseHeadParser::parse(std::string_view bytes) {
    constexpr Code kFault = Code::upstream_invalid_response;
    if (!start_line_done_) {
        WEIR_TRY(const auto line, next_line(bytes, kUpstreamHeadBytesMax, kFault));
        if (!line) {
            return false;
        }
        WEIR_TRY(read_status_line(*line));
        at_ += line->size() + 2;
        start_line_done_ = true;
    }
    for (;;) {
        if (at_ <= kUpstreamHeadBytesMax &&
            take_plain_field(bytes, kUpstreamHeadBytesMax, head_.fields)) {
            WEIR_TRY(read_framing(head_.fields[head_.fields.size() - 1], head_));
            continue;
        }
        WEIR_TRY(const auto line, next_line(bytes, kUpstreamHeadBytesMax, kFault));
        if (!line || at_ > kUpstreamHeadBytesMax) {
            if (bytes.size() > kUpstreamHeadBytesMax) {
                return refuse("the head is too large");
            }
            return false;
        }
        if (line->empty()) {
            at_ += 2;
            move_fields(head_.fields, bytes);
            WEIR_TRY(finish_framing(head_, minor_version_));
            const int status = head_.status;
            head_.has_no_body =
                request_ == Method::head || status < 200 || status == 204 || status == 304;
            return true;
        }
        WEIR_TRY(add_field(*line, bytes, head_.fields));
        at_ += line->size() + 2;
        WEIR_TRY(read_framing(head_.fields[head_.fields.size() - 1], head_));
    }
}

Result<void> ResponseHeadParser::read_status_line(std::string_view line) {
    const bool version = line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ");
    const auto status = line.size() >= 12 ? parse_decimal(line.substr(9, 3)) : std::nullopt;
    if (!version || !status || *status < 100 || *status > 599 ||
        (line.size() > 12 && line[12] != ' ') || !is_field_value(line)) {
        return refuse("the status line is malformed");
    }
    minor_version_ = line[7] - '0';
    head_.status = static_cast<int>(*status);
    return {};
}

}  // namespace weir::net
