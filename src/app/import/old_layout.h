// The flat keys of Centrifugo before version 6 ("token_hmac_secret_key") under the names of version 6
// ("client.token.hmac_secret_key"). Facts about that product's configuration files; no more than names move here.
#pragma once

#include <string>
#include <vector>

#include "app/import/tree.h"

namespace app::import {

struct NewLayout {
  Tree tree;
  std::vector<std::string> collided;  // old keys that stand beside their new names; the new ones won
  bool moved = false;                 // there was at least one old key
};

// Keys that are not known stay where they are.
NewLayout with_new_layout(Tree tree);

}  // namespace app::import
