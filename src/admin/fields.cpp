#include "admin/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "base/timestamp.h"

namespace weir::admin {
namespace {

constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kTextsMax = 100;
constexpr std::size_t kEchoedBytesMax = 128;  // of a client's words, in a message

Failure expected(std::string_view key, std::string_view what) {
    return fail(Code::invalid_request, fmt::format("'{}' must be {}.", key, what))
        .parameter(std::string(key));
}

Failure unknown(std::string_view whole_key, const std::vector<std::string_view>& known) {
    const std::string_view key = cut_utf8(whole_key, kEchoedBytesMax);
    const std::string_view near = nearest(key, known);
    const std::string hint = near.empty() ? fmt::format("known here: {}", fmt::join(known, ", "))
                                          : fmt::format("did you mean '{}'?", near);
    return fail(Code::unknown_field, fmt::format("There is no field '{}'; {}", key, hint))
        .parameter(std::string(key));
}

Failure not_json(std::size_t at) {
    return fail(Code::invalid_json, fmt::format("The body is not valid JSON, at byte {}.", at));
}

// The third party's parser takes the last of duplicate keys silently.
class DuplicateFinder : public nlohmann::json_sax<Json> {
public:
    std::string duplicate;
    std::size_t fault_at = 0;

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override {
        objects_.emplace_back();
        return objects_.size() <= kDepthMax;
    }
    bool key(string_t& name) override {
        if (!objects_.back().insert(name).second) {
            duplicate = name;
            return false;
        }
        return true;
    }
    bool end_object() override {
        objects_.pop_back();
        return true;
    }
    bool start_array(std::size_t) override { return ++arrays_ <= kDepthMax; }
    bool end_array() override {
        --arrays_;
        return true;
    }
    bool parse_error(std::size_t position,
                     const std::string&,
                     const nlohmann::detail::exception&) override {
        fault_at = position > 0 ? position - 1 : 0;  // it counts from one
        return false;
    }

private:
    static constexpr std::size_t kDepthMax = 16;
    std::vector<std::set<std::string>> objects_;
    std::size_t arrays_ = 0;
};

std::optional<std::string> decode_percent(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            decoded += ' ';
        } else if (text[i] != '%') {
            decoded += text[i];
        } else {
            const auto byte = i + 2 < text.size() ? from_hex(text.substr(i + 1, 2)) : std::nullopt;
            if (!byte) {
                return std::nullopt;
            }
            decoded += *byte;
            i += 2;
        }
    }
    return decoded;
}

}  // namespace

Result<Json> read_object(std::string_view body, const std::vector<std::string_view>& known) {
    // The third party's parser takes a NUL for the end of the text and skips a byte order mark.
    if (const std::size_t nul = body.find('\0'); nul != std::string_view::npos) {
        return not_json(nul);
    }
    if (body.starts_with("\xef\xbb\xbf")) {
        return not_json(0);
    }
    DuplicateFinder finder;
    if (!Json::sax_parse(body, &finder)) {
        if (!finder.duplicate.empty()) {
            return fail(Code::invalid_json,
                        fmt::format("The key '{}' stands there twice.",
                                    cut_utf8(finder.duplicate, kEchoedBytesMax)));
        }
        return not_json(finder.fault_at);
    }
    Json object = Json::parse(body, nullptr, false);
    if (!object.is_object()) {
        return fail(Code::invalid_request, "The body must be a JSON object.");
    }
    for (const auto& [key, value] : object.items()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            return unknown(key, known);
        }
    }
    return object;
}

Result<std::optional<std::string>> text_field(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::nullopt;
    }
    if (!found->is_string() || found->get_ref<const std::string&>().size() > kTextBytesMax) {
        return expected(key, fmt::format("a string of at most {} bytes", kTextBytesMax));
    }
    return found->get<std::string>();
}

Result<std::optional<bool>> flag_field(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::nullopt;
    }
    if (!found->is_boolean()) {
        return expected(key, "true or false");
    }
    return found->get<bool>();
}

Result<std::optional<std::int64_t>> number_field(const Json& object,
                                                 const char* key,
                                                 std::int64_t least,
                                                 std::int64_t most) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::nullopt;
    }
    const bool fits = found->is_number_integer() &&
                      !(found->is_number_unsigned() &&
                        found->get<std::uint64_t>() > static_cast<std::uint64_t>(most)) &&
                      found->get<std::int64_t>() >= least && found->get<std::int64_t>() <= most;
    if (!fits) {
        return expected(key, fmt::format("a whole number from {} to {}", least, most));
    }
    return found->get<std::int64_t>();
}

Result<std::vector<std::string>> texts_field(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) {
        return std::vector<std::string>{};
    }
    const std::string what =
        fmt::format("a list of at most {} strings of 1 to {} bytes", kTextsMax, kTextBytesMax);
    if (!found->is_array() || found->size() > kTextsMax) {
        return expected(key, what);
    }
    std::vector<std::string> texts;
    for (const Json& item : *found) {
        if (!item.is_string() || item.get_ref<const std::string&>().empty() ||
            item.get_ref<const std::string&>().size() > kTextBytesMax) {
            return expected(key, what);
        }
        texts.push_back(item.get<std::string>());
    }
    return texts;
}

Result<std::optional<WallTime>> time_field(const Json& object, const char* key) {
    WEIR_TRY(const auto text, text_field(object, key));
    if (!text) {
        return std::nullopt;
    }
    const auto time = parse_rfc3339(*text);
    if (!time) {
        return expected(key, "a time such as 2027-01-31T00:00:00Z");
    }
    return time;
}

std::string write(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> read_segment(std::string_view segment) {
    auto text = decode_percent(segment);
    if (!text) {
        return fail(Code::invalid_request, "The path is not percent-encoded UTF-8.");
    }
    return std::move(*text);
}

Result<Query> read_query(std::string_view query, const std::vector<std::string_view>& known) {
    Query pairs;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (pair.empty()) {
            continue;
        }
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const auto name = decode_percent(pair.substr(0, equals));
        const auto value =
            decode_percent(equals < pair.size() ? pair.substr(equals + 1) : std::string_view{});
        if (!name || !value || !is_utf8(*name) || !is_utf8(*value)) {
            return fail(Code::invalid_request, "The query is not percent-encoded UTF-8.");
        }
        if (std::find(known.begin(), known.end(), *name) == known.end()) {
            return unknown(*name, known);
        }
        if (find(pairs, *name)) {
            return expected(*name, "there once");
        }
        pairs.emplace_back(*name, *value);
    }
    return pairs;
}

std::optional<std::string> find(const Query& query, std::string_view name) {
    for (const auto& [key, value] : query) {
        if (key == name) {
            return value;
        }
    }
    return std::nullopt;
}

Result<std::optional<std::int64_t>> number_of(const Query& query,
                                              std::string_view name,
                                              std::int64_t least,
                                              std::int64_t most) {
    const auto text = find(query, name);
    if (!text) {
        return std::nullopt;
    }
    const auto number = parse_decimal(*text);
    if (!number || *number > static_cast<std::uint64_t>(most) ||
        static_cast<std::int64_t>(*number) < least) {
        return expected(name, fmt::format("a whole number from {} to {}", least, most));
    }
    return static_cast<std::int64_t>(*number);
}

Result<std::optional<WallTime>> time_of(const Query& query, std::string_view name) {
    const auto text = find(query, name);
    if (!text) {
        return std::nullopt;
    }
    const auto time = parse_rfc3339(*text);
    if (!time) {
        return expected(name, "a time such as 2027-01-31T00:00:00Z");
    }
    return time;
}

}  // namespace weir::admin
