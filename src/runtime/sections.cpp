#include "runtime/sections.h"

#include "auth/section.h"
#include "guardrail/section.h"
#include "provider/section.h"
#include "quota/section.h"
#include "resilience/chaos.h"
#include "router/section.h"
#include "runtime/fetch_section.h"
#include "runtime/stream_section.h"

namespace weir::runtime {

std::vector<config::Section> sections() {
    return {auth::auth_section(),
            router::default_model_section(),
            provider::providers_section(),
            router::models_section(),
            quota::limits_section(),
            guardrail::guardrails_section(),
            fetch_section(),
            stream_section(),
            resilience::chaos_section()};
}

std::vector<config::Diagnostic> check(const config::Snapshot& snapshot, std::string file) {
    config::Reporter reporter(std::move(file));
    std::vector<std::string_view> providers;
    for (const auto& provider : snapshot.get<provider::ProvidersSection>().providers) {
        providers.push_back(provider.name);
    }
    router::check_models(snapshot.get<router::ModelsSection>(),
                         snapshot.get<router::DefaultModelSection>(),
                         providers,
                         reporter);
    return reporter.take();
}

}  // namespace weir::runtime
