// A provider's refusal in its own words. This is the only place where a status and a code of this
// surface become one of Weir's codes (API-MAPPING section 6).
#include <algorithm>
#include <array>

#include "dialect/failure.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Value;
using Cause = Verdict::Cause;

struct KnownCode {
    std::string_view code;
    Cause cause;
};
constexpr std::array<KnownCode, 15> kCodes{{
    {"context_length_exceeded", Cause::context_length},
    {"content_filter", Cause::content_filter},
    {"content_policy_violation", Cause::content_filter},
    {"image_content_policy_violation", Cause::content_filter},
    {"bio_policy", Cause::content_filter},
    {"invalid_prompt", Cause::request},
    {"empty_image_file", Cause::request},
    {"unsupported_image_media_type", Cause::request},
    {"failed_to_download_image", Cause::request},
    {"insufficient_quota", Cause::credential},
    {"invalid_api_key", Cause::credential},
    {"model_not_found", Cause::target},
    {"DeploymentNotFound", Cause::target},
    {"rate_limit_exceeded", Cause::rate},
    {"server_error", Cause::failure},
}};

std::optional<Cause> cause_of_code(std::string_view code) {
    const auto* const known = std::find_if(
        kCodes.begin(), kCodes.end(), [code](const auto& k) { return k.code == code; });
    if (known != kCodes.end()) {
        return known->cause;
    }
    const bool names_image = code.starts_with("image_") || code.starts_with("invalid_image") ||
                             code == "invalid_base64_image";
    return names_image ? std::optional(Cause::request) : std::nullopt;
}

Verdict read_words(std::string_view body) {
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (!root) {
        return {};  // a proxy's page: the status says enough
    }
    Value source = *root;
    for (const Value inside : {(*root)["response"]["error"], (*root)["error"]}) {
        if (inside.is_object()) {
            source = inside;
            break;
        }
    }
    Verdict verdict{.code = source["code"].string_or(""),
                    .message = source["message"].string_or(""),
                    .parameter = source["param"].string_or("")};
    for (const std::string_view key : {"error", "detail"}) {  // xAI; others
        if (verdict.message.empty()) {
            verdict.message = source[key].string_or("");
        }
    }
    return verdict;
}

// xAI says 400 where others say 401.
bool names_our_key(const Verdict& verdict) {
    return verdict.message.find("API key") != std::string::npos;
}

Cause cause_of(int status, const Verdict& verdict) {
    const Cause by_status = cause_of_status(status);
    const auto by_code = cause_of_code(verdict.code);
    if (by_status == Cause::request) {
        return by_code ? *by_code : names_our_key(verdict) ? Cause::credential : Cause::request;
    }
    if (by_status == Cause::rate) {
        return by_code == Cause::credential ? Cause::credential : Cause::rate;
    }
    // In a stream the status was spent on 200: the code is all there is.
    return by_status == Cause::failure && by_code ? *by_code : by_status;
}

}  // namespace

Error decode_error(const Refusal& refusal) {
    Verdict verdict = read_words(refusal.body);
    verdict.cause = cause_of(refusal.status, verdict);
    return make_error(refusal.status, std::move(verdict), refusal.retry_after);
}

std::string_view response_error_code(Code code) {
    switch (info(code).status) {
        case 429:
            return "rate_limit_exceeded";
        case 400:
        case 413:
        case 422:
            return "invalid_prompt";
        default:
            return "server_error";
    }
}

}  // namespace weir::dialect::openai_responses
