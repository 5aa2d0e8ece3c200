#include "dialect/form/scanner.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weir::dialect::form {
namespace {

constexpr std::string_view kType = "multipart/form-data";
// More images than any provider makes for one call.
constexpr std::uint64_t kCountMax = 128;

bool is_token(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 2046: bchars.
bool is_boundary(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
}

std::string_view take_space(std::string_view text) {
    const std::size_t at = text.find_first_not_of(" \t");
    return at == std::string_view::npos ? std::string_view{} : text.substr(at);
}

struct Parameter {
    std::string_view name, value;
};

// The next `; name=value` of a header field; nullopt: that is none. An empty rest is the end. What
// a quoted value escapes is not undone: where that would matter it is refused.
std::optional<Parameter> next_parameter(std::string_view& rest) {
    rest = take_space(rest);
    if (rest.empty() || rest.front() != ';') {
        return std::nullopt;
    }
    rest = take_space(rest.substr(1));
    const auto name_end = static_cast<std::size_t>(
        std::find_if_not(rest.begin(), rest.end(), is_token) - rest.begin());
    if (name_end == 0 || name_end == rest.size() || rest[name_end] != '=') {
        return std::nullopt;
    }
    Parameter found{.name = rest.substr(0, name_end), .value = {}};
    rest.remove_prefix(name_end + 1);
    if (!rest.empty() && rest.front() == '"') {
        const std::size_t end = rest.find('"', 1);
        // A backslash before it: some end the value here and some do not.
        if (end == std::string_view::npos || rest[end - 1] == '\\') {
            return std::nullopt;
        }
        found.value = rest.substr(1, end - 1);
        rest.remove_prefix(end + 1);
    } else {
        const std::size_t end = std::min(rest.find_first_of("; \t\""), rest.size());
        found.value = rest.substr(0, end);
        rest.remove_prefix(end);
        if (found.value.empty()) {
            return std::nullopt;
        }
    }
    return found;
}

Failure bad_type(std::string_view why) {
    return fail(
        Code::invalid_request,
        fmt::format("The Content-Type of the form {}: let your HTTP library write it.", why));
}

}  // namespace

bool is_form(std::string_view content_type) {
    return starts_with_ignoring_case(content_type, kType) &&
           (content_type.size() == kType.size() ||
            std::string_view("; \t").find(content_type[kType.size()]) != std::string_view::npos);
}

Result<std::string> boundary_of(std::string_view content_type) {
    std::string_view rest = content_type.substr(std::min(kType.size(), content_type.size()));
    std::optional<std::string> boundary;
    while (!take_space(rest).empty()) {
        const auto parameter = next_parameter(rest);
        if (!parameter) {
            return bad_type("is malformed");
        }
        if (!equals_ignoring_case(parameter->name, "boundary")) {
            continue;
        }
        if (boundary) {
            return bad_type("names two boundaries");
        }
        boundary = parameter->value;
    }
    if (!boundary || boundary->empty()) {
        return bad_type("names no boundary");
    }
    if (boundary->size() > kBoundaryBytesMax || boundary->back() == ' ' ||
        !std::all_of(boundary->begin(), boundary->end(), is_boundary)) {
        return bad_type("names a boundary that is none");
    }
    return *boundary;
}

std::string content_type_of(std::string_view boundary) {
    const bool is_plain = std::all_of(boundary.begin(), boundary.end(), is_token);
    return fmt::format(
        "{}; boundary={}{}{}", kType, is_plain ? "" : "\"", boundary, is_plain ? "" : "\"");
}

Failure Scanner::refuse(std::string_view why) const {
    return fail(Code::invalid_request,
                fmt::format("The form is malformed at byte {}: {}.", at_, why));
}

Result<void> Scanner::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (state_ == State::content && matched_ == 0) {
            // Nearly all bytes of a file: nothing can begin before a line ends.
            const auto run = static_cast<std::size_t>(
                std::find_if(
                    bytes.begin(), bytes.end(), [](char c) { return c == '\r' || c == '\n'; }) -
                bytes.begin());
            WEIR_TRY(keep(bytes.substr(0, run)));
            at_ += run;
            bytes.remove_prefix(run);
            if (bytes.empty()) {
                return {};
            }
        }
        WEIR_TRY(take(bytes.front()));
        ++at_;
        bytes.remove_prefix(1);
    }
    return {};
}

Result<void> Scanner::take(char c) {
    switch (state_) {
        case State::first_delimiter:
            if (c != delimiter_[matched_]) {
                return refuse("it must begin with '--' and the boundary of its Content-Type");
            }
            if (++matched_ == delimiter_.size()) {
                state_ = State::after_delimiter;
                after_ = 0;
            }
            return {};
        case State::after_delimiter:
            return take_after_delimiter(c);
        case State::head:
            return take_head(c);
        case State::content:
            return take_content(c);
        case State::epilogue:
            if (epilogue_bytes_ >= 2 || c != "\r\n"[epilogue_bytes_]) {
                return refuse("nothing may stand behind its last delimiter");
            }
            ++epilogue_bytes_;
            return {};
    }
    std::unreachable();
}

Result<void> Scanner::take_content(char c) {
    // "\r\n--boundary"; since nothing but its first two characters breaks a line, what does not go
    // on as expected can only begin anew.
    if (matched_ >= 2 && c == delimiter_[matched_]) {
        held_ += c;
        if (++matched_ < delimiter_.size()) {
            return {};
        }
        if (is_bare_) {
            return refuse("CR and LF must stand before the boundary");
        }
        WEIR_TRY(end_field());
        held_.clear();
        state_ = State::after_delimiter;
        after_ = 0;
        return {};
    }
    if (matched_ == 1 && c == '\n') {
        held_ += c;
        matched_ = 2;
        is_bare_ = false;
        return {};
    }
    if (matched_ == 1 && c == delimiter_[2]) {
        held_ += c;
        matched_ = 3;
        is_bare_ = true;
        return {};
    }
    if (!held_.empty()) {
        WEIR_TRY(keep(held_));
        held_.clear();
    }
    matched_ = 0;
    if (c == '\r' || c == '\n') {
        held_ += c;
        matched_ = c == '\r' ? 1 : 2;
        is_bare_ = c == '\n';
        return {};
    }
    return keep({&c, 1});
}

Result<void> Scanner::take_after_delimiter(char c) {
    if (after_ == 0) {
        if (c != '\r' && c != '-') {
            return refuse("a line break or '--' must follow the boundary");
        }
        after_ = c;
        return {};
    }
    if (c != (after_ == '\r' ? '\n' : '-')) {
        return refuse("a line break or '--' must follow the boundary");
    }
    if (after_ == '-') {
        state_ = State::epilogue;
        return {};
    }
    if (++parts_ > kPartsMax) {
        return refuse(fmt::format("it may have at most {} parts", kPartsMax));
    }
    state_ = State::head;
    line_.clear();
    head_bytes_ = 0;
    has_disposition_ = is_file_ = false;
    field_ = Field::ignored;
    return {};
}

Result<void> Scanner::take_head(char c) {
    if (++head_bytes_ > kPartHeadBytesMax) {
        return refuse("the head of a part is too large");
    }
    const bool after_cr = !line_.empty() && line_.back() == '\r';
    if (after_cr) {
        if (c != '\n') {
            return refuse("lines must end with CR and LF");
        }
        line_.pop_back();
        return end_head_line();
    }
    const auto byte = static_cast<unsigned char>(c);
    if (c != '\r' && c != '\t' && (byte < 0x20 || byte == 0x7f)) {
        return refuse("the head of a part holds a control character");
    }
    line_ += c;
    return {};
}

Result<void> Scanner::end_head_line() {
    if (line_.empty()) {
        return begin_content();
    }
    const auto name_end = static_cast<std::size_t>(
        std::find_if_not(line_.begin(), line_.end(), is_token) - line_.begin());
    if (name_end == 0 || name_end == line_.size() || line_[name_end] != ':') {
        return refuse("the head of a part must be lines of 'name: value'");
    }
    const std::string_view name = std::string_view(line_).substr(0, name_end);
    const std::string_view value = trim(std::string_view(line_).substr(name_end + 1));
    if (equals_ignoring_case(name, "content-disposition")) {
        WEIR_TRY(read_disposition(value));
    } else if (equals_ignoring_case(name, "content-transfer-encoding") &&
               !equals_ignoring_case(value, "binary") && !equals_ignoring_case(value, "8bit") &&
               !equals_ignoring_case(value, "7bit")) {
        return refuse("a part may have no Content-Transfer-Encoding");
    }
    line_.clear();
    return {};
}

Result<void> Scanner::read_disposition(std::string_view value) {
    constexpr std::string_view kFormData = "form-data";
    if (has_disposition_ || !starts_with_ignoring_case(value, kFormData)) {
        return refuse("a part must have one 'Content-Disposition: form-data'");
    }
    has_disposition_ = true;
    std::string_view rest = value.substr(kFormData.size());
    std::optional<std::string_view> name;
    while (!take_space(rest).empty()) {
        const auto parameter = next_parameter(rest);
        if (!parameter) {
            return refuse("a Content-Disposition cannot be read; escape quotes in it as %22");
        }
        if (equals_ignoring_case(parameter->name, "name")) {
            if (name || parameter->value.find('\\') != std::string_view::npos) {
                return refuse("a part must have one plain name");
            }
            name = parameter->value;
        } else if (starts_with_ignoring_case(parameter->name, "name*")) {
            return refuse("a part must have one plain name");
        } else if (starts_with_ignoring_case(parameter->name, "filename")) {
            is_file_ = true;
        }
    }
    if (!name) {
        return refuse("a part must have a name");
    }
    field_ = *name == "model"    ? Field::model
             : *name == "stream" ? Field::stream
             : *name == "n"      ? Field::n
                                 : Field::ignored;
    return {};
}

Result<void> Scanner::begin_content() {
    if (!has_disposition_) {
        return refuse("a part must have one 'Content-Disposition: form-data'");
    }
    bool* const seen = field_ == Field::model    ? &has_model_
                       : field_ == Field::stream ? &has_stream_
                       : field_ == Field::n      ? &has_count_
                                                 : nullptr;
    if (seen != nullptr) {
        if (is_file_ || *seen) {
            return fail(Code::invalid_request,
                        is_file_ ? "This field of the form must be a value, not a file."
                                 : "This field of the form may come only once.")
                .parameter(field_ == Field::model    ? "model"
                           : field_ == Field::stream ? "stream"
                                                     : "n");
        }
        *seen = true;
    }
    value_.clear();
    content_at_ = at_ + 1;  // behind the LF that is being taken
    state_ = State::content;
    // A delimiter right here, without a line break of its own, ends the part for some readers and
    // not for others.
    matched_ = 2;
    is_bare_ = true;
    held_.clear();
    return {};
}

Result<void> Scanner::keep(std::string_view content) {
    if (field_ == Field::ignored) {
        return {};
    }
    if (content.size() > kFieldBytesMax - value_.size()) {
        return fail(Code::invalid_request,
                    fmt::format("A field of the form is longer than the {} bytes allowed for it.",
                                kFieldBytesMax));
    }
    value_ += content;
    return {};
}

Result<void> Scanner::end_field() {
    switch (field_) {
        case Field::ignored:
            return {};
        case Field::model: {
            const bool is_text =
                std::none_of(
                    value_.begin(),
                    value_.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }) &&
                json::detail::find_invalid_utf8(value_) == std::string_view::npos;
            if (value_.empty() || !is_text) {
                return fail(Code::invalid_request, "'model' must be the name of a model.")
                    .parameter("model");
            }
            model_ = value_;
            model_span_ = {.at = content_at_, .size = value_.size()};
            return {};
        }
        case Field::stream:
            stream_ = equals_ignoring_case(value_, "true") || value_ == "1";
            return {};
        case Field::n: {
            const auto count = parse_decimal(value_);
            if (!count || *count == 0 || *count > kCountMax) {
                return fail(Code::invalid_request,
                            fmt::format("'n' must be a whole number from 1 to {}.", kCountMax))
                    .parameter("n");
            }
            count_ = static_cast<std::int64_t>(*count);
            return {};
        }
    }
    std::unreachable();
}

Result<void> Scanner::end() const {
    if (state_ != State::epilogue || epilogue_bytes_ == 1) {
        return refuse("it ends before its last delimiter");
    }
    return {};
}

}  // namespace weir::dialect::form
