#include "dialect/request.h"

#include <algorithm>
#include <array>

#include "dialect/json/value.h"

namespace weir::dialect {

namespace {

void rewrite_form(const Request& request, std::string_view upstream_model, json::Splice& body) {
    if (request.model_span.is_set()) {
        if (request.model != upstream_model || request.model_is_foreign) {
            body.replace(request.model_span, std::string(upstream_model));
        }
        return;
    }
    body.replace({0, 0},
                 fmt::format("--{}\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{}\r\n",
                             request.form_boundary,
                             upstream_model));
}

}  // namespace

void Request::keep_id(std::string id, std::string_view parameter, bool is_file) {
    const auto is_same = [&id](const ProviderId& other) { return other.id == id; };
    if (!id.empty() && provider_ids.size() <= kProviderIdsMax &&
        std::none_of(provider_ids.begin(), provider_ids.end(), is_same)) {
        provider_ids.push_back({.id = std::move(id), .parameter = parameter, .is_file = is_file});
    }
}

void rewrite(const Request& request, std::string_view upstream_model, json::Splice& body) {
    if (!request.form_boundary.empty()) {
        rewrite_form(request, upstream_model, body);
        return;
    }
    struct Edit {
        json::Span span;
        std::string with;
    };
    std::array<Edit, 2> edits;
    std::size_t count = 0;
    const bool is_named = request.model_in_body || request.model_span.is_set();
    if (is_named && (request.model != upstream_model || request.model_is_foreign ||
                     !request.model_span.is_set())) {
        std::string quoted = "\"";
        // Where the path names it too (Gemini), it is the name of a resource.
        constexpr std::string_view kResource = "models/";
        quoted += request.model_in_body || upstream_model.starts_with(kResource) ? "" : kResource;
        json::append_escaped(quoted, upstream_model);
        quoted += '"';
        if (request.model_span.is_set()) {
            edits[count++] = {request.model_span, std::move(quoted)};
        } else {
            edits[count++] = {
                json::Span{request.body_begin, 0},
                fmt::format("\"model\":{}{}", quoted, request.body_is_empty ? "" : ",")};
        }
    }
    if (!request.usage_words.empty()) {
        edits[count++] = {request.usage_span, std::string(request.usage_words)};
    }
    if (count == 2 && edits[1].span.at < edits[0].span.at) {
        std::swap(edits[0], edits[1]);
    }
    for (std::size_t i = 0; i < count; ++i) {
        body.replace(edits[i].span, std::move(edits[i].with));
    }
}

}  // namespace weir::dialect
