// Wildcards: one subscription to every channel of a kind, now and later. A wildcard is a name of which some part
// between separators is a star:
//
//   wildcard = part *( ( "." / ":" ) part )       at least one part a star
//   part     = "*"                                one part of a name, not empty
//            / "**"                               last only: one part or more
//            / text                               itself
//
//   news.*      news.sport, but neither news nor news.sport.ski
//   chat:**     chat:7, chat:7.typing
//
// In any other place `*` is a character as all others. A channel whose own name is a wildcard is matched by that name
// alone.
//
// What is published reaches those who watch a wildcard by the wildcard's feeds: each home has one, a channel that
// nobody outside can name, since names of channels have no control characters (architecture section 1 rule 10). It is
// watched as others are; with it come order per channel, fan-out in slices and slow readers, and as with a companion
// (events_channel.h) conflation counts as drop, no history is kept and its positions mean nothing to clients. Its
// messages say in Extras::channel where they were published. What a gap on it means to the client its door decides.
//
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"

namespace hub {

bool is_wildcard(std::string_view name);
// Of a wildcard. Every part is looked at once.
bool matches_wildcard(std::string_view wildcard, std::string_view name);

// The feed of a wildcard at one home, and back.
std::string wildcard_feed(std::string_view wildcard, base::WorkerId home);
inline bool is_wildcard_feed(std::string_view name) { return name.starts_with('\1'); }
base::WorkerId home_of_feed(std::string_view feed);
// Of any other name the name itself.
std::string_view wildcard_of(std::string_view feed);

}  // namespace hub
