// Writes one call as a request of Converse; the methods stand in files by what they write:
// encode_request (the order of it all), encode_messages, encode_media, encode_tools,
// encode_options. Lives for one encode_request().
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/bedrock/codec.h"
#include "dialect/bedrock/model_facts.h"
#include "dialect/json/writer.h"

namespace weir::dialect::bedrock {

// The fields at fault, as the client's dialect calls them.
struct FieldNames {
    std::string_view messages, limit, format, tools, tool_choice, choices, logprobs, modalities;
};
const FieldNames& names_of(llm::Dialect client);

// Bedrock allows letters, digits, '-' and '_' in ids and names, 64 at most.
bool is_plain_name(std::string_view name);

// One turn of the conversation: neighbours of one role together, results of tools first.
struct Turn {
    bool is_user = true;
    std::size_t results = 0;  // of tools: so many of the parts
    std::vector<const llm::Part*> parts;
};

class Encoder {
public:
    Encoder(const llm::Call& call, const Target& target)
        : call_(call),
          target_(target),
          facts_(facts_of(target.model)),
          names_(names_of(call.from)) {}
    Result<EncodedRequest> encode();
    // A schema for the answer, of a Claude that knows none: as a tool that must be called.
    bool needs_answer_tool() const;
    Result<llm::Call> answering_by_tool();
    // The limit that encode() would write; 0: none.
    std::int64_t limit();

private:
    Failure cannot(std::string_view parameter, std::string_view what) const;
    void drop(std::string_view name);
    bool passes(std::string_view name) const;

    // What the conversation holds, before a byte is written.
    void collect_turns();
    void add_part(bool is_user, const llm::Part& part);
    bool is_sendable(const llm::Part& part);
    bool is_in_tool_loop_without_thought() const;
    bool holds_tool_parts() const;

    Result<void> write_system();
    Result<void> write_messages();
    Result<void> write_part(const llm::Part& part);
    void write_text(std::string_view text);
    void write_reasoning(const llm::Reasoning& reasoning);
    Result<void> write_tool_call(const llm::ToolCall& tool);
    Result<void> write_tool_result(const llm::ToolResult& result);
    void write_cache_point(const llm::CacheMark& mark);
    Result<std::string> id_of(const llm::ToolResult& result);

    Result<void> write_media(const llm::Media& media);
    Result<void> write_document(const llm::Media& media);
    Result<void> write_source(const llm::Media& media);
    std::string document_name(std::string_view wished);

    Result<void> write_tools();
    Result<void> write_tool(const llm::Tool& tool);
    void write_tools_of_history();
    Result<void> write_tool_choice();

    void decide_thinking();
    void decide_budget();
    Result<void> write_inference();
    void write_top_k();
    void write_thinking();
    Result<void> write_format();
    void write_tier();
    void write_unknown();
    void write_extra();

    bool is_forced() const {
        return call_.tool_choice.mode == llm::ToolChoice::Mode::required ||
               call_.tool_choice.mode == llm::ToolChoice::Mode::named;
    }

    const llm::Call& call_;
    const Target& target_;
    const ModelFacts facts_;
    const FieldNames& names_;
    EncodedRequest encoded_;
    json::Writer json_{encoded_.body};
    // Members of additionalModelRequestFields: what only this model knows.
    std::string extra_text_;
    json::Writer extra_{extra_text_};

    std::vector<const llm::Part*> system_;
    std::vector<Turn> turns_;
    std::size_t cache_points_ = 0;
    std::vector<std::string> document_names_;
    // Calls without an id that wait for their result.
    struct Nameless {
        std::string name, id;
    };
    std::vector<Nameless> nameless_;
    std::size_t calls_ = 0;

    // What of the client's wish to think can be met.
    bool thinks_ = false;
    std::int64_t budget_ = 0;  // 0: none is named
    std::optional<llm::Effort> effort_;
    std::optional<std::int64_t> limit_;
};

}  // namespace weir::dialect::bedrock
