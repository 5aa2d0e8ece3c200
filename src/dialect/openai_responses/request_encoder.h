// A call on its way to a provider of this dialect: what the writers of its input (encode_input.cpp)
// and of its options (encode_request.cpp) share. Lives for one encode_request().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {

class RequestEncoder {
public:
    RequestEncoder(const llm::Call& from, const Target& to) : call_(from), target_(to) {}

    // Writes the whole body. Errors: invalid_request naming the client's field.
    Result<void> encode();
    EncodedRequest encoded;

private:
    // Where a part stands, in the words of the client's dialect.
    struct Place {
        std::size_t message;
        std::size_t part;
    };
    // Calls whose ids were made here, for results that name none.
    struct MadeId {
        std::string name;
        std::string id;
        bool answered = false;
    };

    void drop(std::string_view name);
    bool passes(std::string_view name) const;

    Result<void> encode_input();
    std::size_t encode_instructions();
    Result<void> encode_said(const llm::Message& message, std::size_t index);
    Result<void> encode_answered(const llm::Message& message, std::size_t index);
    Result<void> encode_result(const llm::ToolResult& result, Place place);
    Result<void> encode_content_part(const llm::Part& part, Place place);
    Result<void> encode_media(const llm::Media& media, Place place);
    void encode_file(const llm::Media& media);
    void encode_call(const llm::ToolCall& tool_call);
    void encode_reasoning(const llm::Reasoning& reasoning);
    Result<void> encode_opaque(const llm::Opaque& opaque, Place place);
    std::string call_id_of(const llm::ToolResult& result);
    std::string path_of(Place place) const;
    Failure cannot_at(Place place, std::string_view what) const;

    Result<void> refuse_what_is_missing();
    Result<void> encode_tools();
    void encode_tool_choice();
    void encode_text();
    void encode_limits();
    void encode_thinking();
    void encode_rest();

    const llm::Call& call_;
    const Target& target_;
    json::Writer json_{encoded.body};
    std::vector<MadeId> made_ids_;
    std::size_t calls_seen_ = 0;
};

// "This model cannot take …": invalid_request naming the client's field.
Failure cannot(std::string parameter, std::string_view what);

}  // namespace weir::dialect::openai_responses
