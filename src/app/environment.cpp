#include "app/environment.h"

#include <fmt/format.h>

#include <algorithm>

#include "provider/section.h"
#include "router/section.h"

namespace weir::app {
namespace {

constexpr std::string_view kSimulatorName = "simulator";

bool has_provider(const provider::ProvidersSection& section, std::string_view name) {
    return std::any_of(section.providers.begin(),
                       section.providers.end(),
                       [name](const provider::ProviderSection& provider) {
                           return provider.name == name || provider.kind->name == name;
                       });
}

}  // namespace

Result<std::unique_ptr<SideListener>> start_simulator(const net::SocketAddress& listen,
                                                      const simulate::SimulatorOptions& options) {
    return SideListener::start("weir-simulator",
                               net::ServerOptions{.listen = listen, .listen_key = "--listen"},
                               std::make_unique<simulate::Simulator>(options));
}

Result<Surplus> complete(const config::Snapshot& snapshot,
                         const config::Lookup& environment,
                         std::shared_ptr<SideListener> simulator) {
    Surplus surplus;
    auto providers = snapshot.get<provider::ProvidersSection>();
    auto models = snapshot.get<router::ModelsSection>();
    for (const provider::ProviderKind* kind : provider::all_kinds()) {
        if (kind->key_variable.empty() || has_provider(providers, kind->name)) {
            continue;
        }
        const auto found = environment(kind->key_variable);
        // A key that was read from a file often has that file's last line feed.
        std::string_view key = found ? std::string_view(*found) : std::string_view{};
        while (key.ends_with('\n') || key.ends_with('\r')) {
            key.remove_suffix(1);
        }
        if (key.empty()) {
            continue;
        }
        if (std::any_of(key.begin(), key.end(), [](char c) { return c <= ' ' || c > '~'; })) {
            return fail(Code::invalid_config,
                        fmt::format("{} is no credential: it must be one line of plain text.",
                                    kind->key_variable));
        }
        providers.providers.push_back({.name = std::string(kind->name),
                                       .kind = kind,
                                       .api_key = Secret(std::string(key)),
                                       .pass_through = true});
        surplus.providers.emplace_back(kind->name);
    }
    if (providers.providers.empty()) {
        // An operator's first look needs a provider; it is asked over HTTP like any other.
        surplus.simulator = std::move(simulator);
        if (surplus.simulator == nullptr) {
            WEIR_TRY(const auto any_port, net::parse_socket_address("127.0.0.1:0"));
            WEIR_TRY(surplus.simulator, start_simulator(any_port, {}));
        }
        const std::uint16_t port = surplus.simulator->address().port();
        providers.providers.push_back(
            {.name = std::string(kSimulatorName),
             .kind = provider::find_kind("openai_compatible"),
             .base_url = {.tls = false, .host = "127.0.0.1", .port = port, .path = "/v1"}});
        for (const std::string_view model : simulate::kSimulatedModels) {
            models.models.push_back({.name = std::string(model),
                                     .targets = {{.provider = std::string(kSimulatorName),
                                                  .model = std::string(model)}}});
        }
    }
    auto completed = std::make_shared<config::Snapshot>(snapshot);
    completed->put(std::move(providers));
    completed->put(std::move(models));
    surplus.snapshot = std::move(completed);
    return surplus;
}

}  // namespace weir::app
