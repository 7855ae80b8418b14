// The parts of import_centrifugo. Each takes what it knows out of the document; what is left when all are through is
// looked up by explain_rest. Paths are those of version 6.
#pragma once

#include <string>
#include <string_view>

#include "app/import/draft.h"
#include "app/import/tree.h"

namespace app::import {

struct ImportPlan;

// http_server, log, shutdown.
void import_server(Tree& document, Draft& draft);
// client.token, http_api.key, client.allowed_origins. Returns public keys that stood in the document, in PEM.
std::string import_auth(Tree& document, Draft& draft, const ImportPlan& plan);
// Limits, transports and the rest of `client`.
void import_clients(Tree& document, Draft& draft);
// channel.*; after import_clients, whose personal channel it looks at.
void import_channels(Tree& document, Draft& draft);
// Proxies: client.proxy, channel.proxy, rpc, proxies, and who asks them; after import_channels.
void import_hooks(Tree& document, Draft& draft);
// What nobody took: known without an equivalent, needless, or unknown.
void explain_rest(const Tree& document, Draft& draft);

// The whole file: findings as comments, then every setting that differs from its default.
std::string write_toml(const Draft& draft);

// `text` in the quotes of a TOML basic string.
std::string toml_text(std::string_view text);

}  // namespace app::import
