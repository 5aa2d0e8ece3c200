// A form with files in it (multipart/form-data, RFC 7578), read as it comes by: the fields that
// Weir must know, and where `model` stands; of files nothing is kept. Sans I/O: any split of the
// bytes gives the same result. One per request.
//
// Strict where servers differ in what they take for a delimiter, a name or a value, so that no form
// means one model here and another one at the provider: lines end with CRLF; nothing stands before
// the first delimiter or behind the last; a field Weir reads comes at most once and is no file; no
// transfer encoding; no extended or escaped names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/json/scanner.h"

namespace weir::dialect::form {

inline constexpr std::size_t kBoundaryBytesMax = 70;    // RFC 2046
inline constexpr std::size_t kPartHeadBytesMax = 4096;  // a long file name, escaped
inline constexpr std::size_t kPartsMax = 256;           // 16 images and a dozen fields are many
inline constexpr std::size_t kFieldBytesMax = 1024;     // of a field that is read

// Whether the request's Content-Type says that the body is a form.
bool is_form(std::string_view content_type);
// The boundary in it. Errors: invalid_request.
Result<std::string> boundary_of(std::string_view content_type);
// The Content-Type of a form with this boundary.
std::string content_type_of(std::string_view boundary);

class Scanner {
public:
    explicit Scanner(std::string_view boundary) : delimiter_("\r\n--") { delimiter_ += boundary; }

    // The next bytes of the body. Errors: invalid_request with the byte at fault; final.
    Result<void> feed(std::string_view bytes);
    // The body has ended. Errors: invalid_request where the form has not.
    Result<void> end() const;

    // Of `model`, whose part has ended: the value, and its place in the body. Unset: not yet.
    const std::optional<std::string>& model() const { return model_; }
    json::Span model_span() const { return model_span_; }
    // As far as they came by.
    bool stream() const { return stream_; }
    std::int64_t count() const { return count_; }  // `n`, 1 where it is not said

    std::string_view boundary() const { return std::string_view(delimiter_).substr(4); }

private:
    enum class State : std::uint8_t { first_delimiter, after_delimiter, head, content, epilogue };
    enum class Field : std::uint8_t { ignored, model, stream, n };

    Result<void> take(char c);
    Result<void> take_content(char c);
    Result<void> take_after_delimiter(char c);
    Result<void> take_head(char c);
    Result<void> end_head_line();
    Result<void> read_disposition(std::string_view value);
    Result<void> begin_content();
    Result<void> end_field();
    Result<void> keep(std::string_view content);
    Failure refuse(std::string_view why) const;

    std::string delimiter_;  // of the middle: CRLF, two hyphens, the boundary
    State state_ = State::first_delimiter;
    std::uint64_t at_ = 0;     // bytes taken
    std::size_t matched_ = 2;  // of delimiter_; the first one has no CRLF before it
    bool is_bare_ = false;     // the line break before what is matched is half a one
    std::string held_;         // what is matched and may still be content
    char after_ = 0;           // the first character behind a delimiter
    std::size_t epilogue_bytes_ = 0;

    std::size_t parts_ = 0;
    std::string line_;  // of a part's head
    std::size_t head_bytes_ = 0;
    bool has_disposition_ = false;
    bool is_file_ = false;
    Field field_ = Field::ignored;
    std::string value_;
    std::uint64_t content_at_ = 0;

    std::optional<std::string> model_;
    json::Span model_span_;
    bool has_model_ = false, has_stream_ = false, has_count_ = false;
    bool stream_ = false;
    std::int64_t count_ = 1;
};

}  // namespace weir::dialect::form
