#include "door/published.h"

namespace door {
namespace {

std::string_view level_text(hub::Level level) {
  switch (level) {
    case hub::Level::accepted:
      break;
    case hub::Level::durable:
      return "durable";
  }
  return "accepted";
}

}  // namespace

void append_published_members(codec::JsonWriter& json, std::string_view channel, const hub::Published& published) {
  json.key("channel").string(channel).key("epoch").string(published.position.epoch.view());
  json.key("offset").number(published.position.offset).key("time").number(published.time.ms);
  json.key("level").string(level_text(published.level)).key("workers").number(published.workers);
}

}  // namespace door
