#include "server/feed.h"

namespace server {

bool Feed::append_cursor(std::string& out) const {
  for (const Place& place : places) {
    if (!place.resumable) return false;
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i > 0) out += ',';
    if (!places[i].position.epoch.view().empty()) hub::append_position(out, places[i].position);
  }
  return true;
}

}  // namespace server
