#include "app/import/centrifugo.h"

#include "app/import/old_layout.h"
#include "app/import/parts.h"

namespace app::import {

std::expected<Imported, std::string> import_centrifugo(Format format, std::string_view text, const ImportPlan& plan) {
  auto tree = read_tree(format, text);
  if (!tree) return std::unexpected(tree.error());
  NewLayout layout = with_new_layout(*std::move(tree));
  Draft draft;
  for (const std::string& key : layout.collided) {
    draft.left_out(key, "a key of version 6 says the same, and that one counts");
  }
  import_server(layout.tree, draft);
  std::string pem = import_auth(layout.tree, draft, plan);
  import_clients(layout.tree, draft);
  import_channels(layout.tree, draft);
  import_hooks(layout.tree, draft);
  explain_rest(layout.tree, draft);
  return Imported{.toml = write_toml(draft), .findings = draft.findings(), .public_keys_pem = std::move(pem)};
}

}  // namespace app::import
