// The companion of a channel, on which its home says who joins and who leaves: an ordinary channel to whoever watches
// it, but nobody outside can name it, since names of channels have no control characters (architecture section 1 rule
// 10). It lives at the home of its channel (home_of() looks no further than the first NUL), keeps no history, and is in
// no list or count of channels.
//
// Its messages have no payload: Extras::event is kJoin or kLeave, Extras::publisher is who. Its positions mean nothing
// to clients. A subscriber that reads too slowly lags or is closed as its channel's policy says; conflation counts as
// drop, since the newest of them does not stand for the others. What a gap on it means to the client its door decides.
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace hub {

inline constexpr std::string_view kJoin = "join";
inline constexpr std::string_view kLeave = "leave";

inline std::string events_channel(std::string_view channel) {
  std::string name;
  name.reserve(channel.size() + 1);
  name.append(channel).push_back('\0');
  return name;
}
inline bool is_events_channel(std::string_view name) { return name.ends_with('\0'); }
// The channel that a companion belongs to; of any other name the name itself.
inline std::string_view events_of(std::string_view name) { return name.substr(0, name.find('\0')); }

}  // namespace hub
