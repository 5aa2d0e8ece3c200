#include "net/http_body.h"

#include <limits>

#include "base/text.h"

namespace weir::net {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

// A trailer that could change how the message is read or who sent it is an attack.
bool may_be_trailer(std::string_view name) {
    switch (classify(name)) {
        case KnownHeader::transfer_encoding:
        case KnownHeader::content_length:
        case KnownHeader::host:
        case KnownHeader::authorization:
        case KnownHeader::proxy_authorization:
        case KnownHeader::content_encoding:
        case KnownHeader::content_type:
        case KnownHeader::connection:
        case KnownHeader::trailer:
        case KnownHeader::expect:
        case KnownHeader::x_api_key:
            return false;
        default:
            return true;
    }
}

}  // namespace

Failure ChunkedScanner::refuse() const {
    if (fault_ == Code::upstream_invalid_response) {
        return fail(fault_, "The model provider gave an answer that cannot be used; try again.")
            .detail("malformed chunked body");
    }
    return fail(fault_, "The request is not valid HTTP/1.1: its chunked body is malformed.");
}

bool ChunkedScanner::step(char c) {
    switch (state_) {
        case State::size: {
            const int value = hex_value(c);
            if (value >= 0) {
                left_ = left_ << 4 | static_cast<std::uint64_t>(value);
                return ++digits_ <= kChunkSizeDigitsMax;
            }
            line_bytes_ = 0;
            state_ = c == '\r' ? State::size_lf : State::extension;
            // The top bit would make arithmetic on sizes unsafe, and no chunk is that large.
            return digits_ > 0 && (c == '\r' || c == ';') && left_ >> 62 == 0;
        }
        case State::extension:
            if (c == '\r') {
                state_ = State::size_lf;
                return true;
            }
            return !is_control(c) && ++line_bytes_ <= kChunkExtensionBytesMax;
        case State::size_lf:
            digits_ = 0;
            state_ = left_ > 0 ? State::data : State::trailer_start;
            return c == '\n';
        case State::data:
            return true;
        case State::data_cr:
            state_ = State::data_lf;
            return c == '\r';
        case State::data_lf:
            state_ = State::size;
            return c == '\n';
        case State::trailer_start:
            if (c == '\r') {
                state_ = State::end_lf;
                return true;
            }
            if (++trailers_ > kTrailerFieldsMax) {
                return false;
            }
            line_bytes_ = 0;
            name_size_ = 0;
            name_done_ = false;
            state_ = State::trailer;
            [[fallthrough]];
        case State::trailer: {
            if (c == '\r') {
                state_ = State::trailer_lf;
                return end_of_trailer();
            }
            if (is_control(c) || ++line_bytes_ > kTrailerLineBytesMax) {
                return false;
            }
            if (!name_done_) {
                if (c == ':') {
                    name_done_ = true;
                    return name_size_ > 0;
                }
                if (c == ' ' || c == '\t') {
                    return false;
                }
                if (name_size_ < sizeof name_) {
                    name_[name_size_++] = c;
                }
            }
            return true;
        }
        case State::trailer_lf:
            state_ = State::trailer_start;
            return c == '\n';
        case State::end_lf:
            state_ = State::done;
            return c == '\n';
        case State::done:
            return false;
    }
    std::unreachable();
}

bool ChunkedScanner::end_of_trailer() {
    return name_done_ && (name_size_ == sizeof name_ || may_be_trailer({name_, name_size_}));
}

BodyScanner BodyScanner::of_request(const RequestHead& head) {
    BodyScanner body;
    body.left_ = head.content_length.value_or(0);
    body.kind_ = head.is_chunked ? Kind::chunked : Kind::sized;
    body.done_ = !head.is_chunked && body.left_ == 0;
    return body;
}

BodyScanner BodyScanner::of_response(const ResponseHead& head) {
    BodyScanner body;
    body.chunked_ = ChunkedScanner(Code::upstream_invalid_response);
    if (head.has_no_body) {
        return body;
    }
    if (head.is_chunked) {
        body.kind_ = Kind::chunked;
        body.done_ = false;
    } else if (head.content_length) {
        body.left_ = *head.content_length;
        body.done_ = body.left_ == 0;
    } else {
        body.kind_ = Kind::until_close;
        body.left_ = std::numeric_limits<std::uint64_t>::max();
        body.done_ = false;
    }
    return body;
}

std::size_t write_chunk_head(std::size_t payload_bytes, char* into) {
    char digits[16];
    std::size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[payload_bytes & 15];
        payload_bytes >>= 4;
    } while (payload_bytes > 0);
    for (std::size_t i = 0; i < count; ++i) {
        into[i] = digits[count - 1 - i];
    }
    into[count] = '\r';
    into[count + 1] = '\n';
    return count + 2;
}

}  // namespace weir::net
