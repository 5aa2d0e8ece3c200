#include "pipeline/call.h"

namespace weir::pipeline {

Call::Call(net::ServerCall& server_call,
           std::shared_ptr<Generation> begun_with,
           Door which,
           std::string_view surface_label,
           const Clock& clock,
           bool head_is_good)
    : http(server_call),
      generation(std::move(begun_with)),
      door(std::move(which)),
      client(*dialect::client_edge(door.dialect)),
      label(surface_label),
      started_at(clock.wall_now()),
      id(make_uuid_v7(started_at)),
      begun(server_call.received_at()) {
    write_text(id, id_characters.data());
    if (!head_is_good) {
        trace = obs::new_trace(id.bytes);
        return;
    }
    const net::RequestHead& head = http.head();
    const auto parent = obs::parse_traceparent(head.find(net::KnownHeader::traceparent));
    trace = parent ? obs::child_of(*parent, id.bytes) : obs::new_trace(id.bytes);
    client_request_id =
        head.find(net::KnownHeader::x_request_id).substr(0, kClientRequestIdBytesMax);
    path.assign(head.path);
    method.assign(head.method_text);
    is_head = head.method == net::Method::head;
}

Call::Call(Beside, const Call& first)
    : http(first.http),
      generation(first.generation),
      door(first.door),
      client(first.client),
      label(first.label),
      started_at(first.started_at),
      id(first.id),
      id_characters(first.id_characters),
      begun(first.begun),
      trace(first.trace),
      who(first.who),
      request(first.request),
      wishes(first.wishes),
      asked_model(first.asked_model),
      resolved(first.resolved),
      pinned(first.pinned),
      pinned_key(first.pinned_key),
      body_bytes(first.body_bytes),
      plan(first.plan),
      total(first.total),
      is_beside(true),
      opened(true),
      settled(true) {}

dialect::Target Call::target_at(const router::Choice& at) const {
    const provider::Provider& there = *runtime().providers[at.target->provider];
    const provider::ProviderKind& kind = there.kind();
    return {.model = at.upstream_model,
            .provider = there.name(),
            .output_tokens_max = at.output_tokens_max,
            .passed_fields = {kind.passed_fields.begin(), kind.passed_fields.end()},
            .has_old_limit_name = kind.has_old_limit_name,
            .effort_budgets = resolved.model->effort_budgets};
}

}  // namespace weir::pipeline
