// `since` for one to four channels: one value per channel, and a cursor written from what was read is read the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/url.h"
#include "door/feed_request.h"
#include "door/since.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t channels = bytes[0] % 4U + 1;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (const auto since = door::parse_since(text, channels)) {
    ASSERT(since->size() == channels);
    std::string cursor;
    for (const hub::Since& each : *since) {
      if (&each != &since->front()) cursor += ',';
      ASSERT(each.kind != hub::Since::Kind::last || each.count > 0);
      if (each.kind == hub::Since::Kind::position) hub::append_position(cursor, each.position);
    }
    if (since->front().kind == hub::Since::Kind::now || since->front().kind == hub::Since::Kind::position) {
      const auto again = door::parse_since(cursor, channels);
      ASSERT(again.has_value());
      for (std::size_t i = 0; i < channels; ++i) ASSERT((*again)[i].position == (*since)[i].position);
    }
  } else {
    ASSERT(since.error() == base::Error::bad_cursor);
  }
  if (const auto query = codec::Query::parse(text)) {
    if (const auto feed = door::parse_feed_request({}, *query, {}, 8)) {
      ASSERT(!feed->channels.empty() && feed->channels.size() <= 8);
      ASSERT(feed->since.size() == feed->channels.size());
    }
  }
  return 0;
}
