// Settings: what the operator said, on top of the defaults, before it was checked as a whole. The options of the server
// themselves stand in `server`; beside them what becomes options by more than a copy (listeners, key files).
// Plain value; any thread.
#pragma once

#include <string>
#include <vector>

#include "server/options.h"

namespace app {

struct Settings {
  server::Options server;             // listeners, namespaces and keys are filled in by resolve (config.h)
  server::NamespaceOptions channels;  // the default namespace
  std::vector<server::NamespaceOptions> namespaces;

  std::vector<std::string> listen = {"127.0.0.1:8000"};        // [http:// | https://]IP:PORT or unix:/path
  std::vector<std::string> admin_listen = {"127.0.0.1:8001"};  // the same; with --dev only if it was said
  bool proxy_protocol = false;                                 // on every listener but the admin's
  std::string api_keys_file;                                   // one key per line, beside those in `server`
  std::string token_keys_file;
  std::string token_public_keys_file;
};

// The default namespace in `options`, or the built-in one.
server::NamespaceOptions default_namespace(const server::Options& options);

// The settings that make these options: the listeners as text again. Key files are not known any more; the keys are.
Settings settings_of(const server::Options& options);

}  // namespace app
