// Where a message body ends, and which of its bytes are payload. Sans I/O: feed bytes as they come,
// take payload spans, learn how many bytes belonged to this message. Strict like the heads.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "net/http_head.h"

namespace weir::net {

// RELIABILITY section 2.
inline constexpr std::size_t kChunkSizeDigitsMax = 16;
inline constexpr std::size_t kChunkExtensionBytesMax = 256;
inline constexpr std::size_t kTrailerFieldsMax = 16;
inline constexpr std::size_t kTrailerLineBytesMax = 8u << 10;

class ChunkedScanner {
public:
    explicit ChunkedScanner(Code fault) : fault_(fault) {}

    struct Step {
        std::size_t used = 0;  // bytes that belong to this body; less than given only when done
        bool done = false;
    };
    // `sink(std::string_view payload)` is called for each run of payload bytes, in order.
    template <class Sink>
    Result<Step> scan(std::string_view bytes, Sink&& sink) {
        std::size_t at = 0;
        while (at < bytes.size()) {
            if (state_ == State::data) {
                const auto take =
                    static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
                sink(bytes.substr(at, take));
                at += take;
                left_ -= take;
                if (left_ == 0) {
                    state_ = State::data_cr;
                }
                continue;
            }
            if (!step(bytes[at++])) [[unlikely]] {
                return refuse();
            }
            if (state_ == State::done) {
                return Step{at, true};
            }
        }
        return Step{at, false};
    }

private:
    enum class State : std::uint8_t {
        size,
        extension,
        size_lf,
        data,
        data_cr,
        data_lf,
        trailer_start,
        trailer,
        trailer_lf,
        end_lf,
        done
    };
    bool step(char c);
    bool end_of_trailer();
    Failure refuse() const;

    Code fault_;
    State state_ = State::size;
    std::uint8_t digits_ = 0;
    std::uint8_t trailers_ = 0;
    std::uint16_t line_bytes_ = 0;  // of the extension or the trailer line
    bool name_done_ = false;
    std::uint8_t name_size_ = 0;
    char name_[20] = {};  // the trailer's name, as far as it matters
    std::uint64_t left_ = 0;
};

// A body of any framing: none, a length, chunked, or until the connection closes.
class BodyScanner {
public:
    BodyScanner() = default;
    static BodyScanner of_request(const RequestHead& head);
    static BodyScanner of_response(const ResponseHead& head);

    bool is_done() const { return done_; }
    bool ends_with_connection() const { return kind_ == Kind::until_close; }

    template <class Sink>
    Result<ChunkedScanner::Step> scan(std::string_view bytes, Sink&& sink) {
        if (kind_ == Kind::chunked) {
            auto step = chunked_.scan(bytes, std::forward<Sink>(sink));
            done_ = step && step->done;
            return step;
        }
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        if (take > 0) {
            sink(bytes.substr(0, take));
        }
        if (kind_ == Kind::sized) {
            left_ -= take;
            done_ = left_ == 0;
        }
        return ChunkedScanner::Step{take, done_};
    }

private:
    enum class Kind : std::uint8_t { sized, chunked, until_close };
    Kind kind_ = Kind::sized;
    bool done_ = true;
    std::uint64_t left_ = 0;
    ChunkedScanner chunked_{Code::invalid_framing};
};

inline constexpr std::size_t kChunkHeadBytesMax = 20;
// "1a2b\r\n" into `into` (at least kChunkHeadBytesMax); returns the characters written.
std::size_t write_chunk_head(std::size_t payload_bytes, char* into);

}  // namespace weir::net
