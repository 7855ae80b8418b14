#include "app/settings.h"

namespace app {

server::NamespaceOptions default_namespace(const server::Options& options) {
  for (const server::NamespaceOptions& space : options.namespaces) {
    if (space.name.empty()) return space;
  }
  return {};
}

Settings settings_of(const server::Options& options) {
  Settings settings{.server = options, .channels = default_namespace(options), .listen = {}, .admin_listen = {}};
  for (const server::NamespaceOptions& space : options.namespaces) {
    if (!space.name.empty()) settings.namespaces.push_back(space);
  }
  for (const server::Listener& listener : options.listeners) {
    settings.proxy_protocol |= listener.proxy_protocol;
    (listener.admin ? settings.admin_listen : settings.listen)
        .push_back((listener.tls ? "https://" : "") + listener.address);
  }
  return settings;
}

}  // namespace app
