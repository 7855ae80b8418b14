#include "api/assets.h"

#include <algorithm>

namespace api {

const Asset* find_asset(std::string_view path) {
  const auto all = assets();
  const auto found = std::ranges::lower_bound(all, path, {}, &Asset::path);
  return found != all.end() && found->path == path ? &*found : nullptr;
}

bool is_immutable(const Asset& asset) { return asset.path.starts_with("/assets/"); }

}  // namespace api
