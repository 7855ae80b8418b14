// The part of resolve() (config_draft.h) that is about namespaces: what --dev turns on, and what contradicts itself.
#pragma once

#include "app/config_draft.h"
#include "server/options.h"

namespace app {

// With a data directory the channels durable:... are durable, unless the configuration says what they are.
void add_durable_namespace(server::Options& options);
// The names of the namespaces whose channels are durable, sorted.
std::vector<std::string> durable_names(const server::Options& options);
// Sets what has another default in a server with --dev and was not set. `options.namespaces` is complete.
void apply_dev_defaults(const ConfigDraft& draft, server::Options& options);

void check_channels(ConfigDraft& draft, const server::Options& options);

}  // namespace app
