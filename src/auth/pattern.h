// Channel patterns of tokens. A pattern is a channel name; if its last byte is `*`, it stands for every name that
// begins with what comes before. `*` anywhere else is a literal byte, and there is no escape: the pattern `a*` also
// covers the channel that is literally called `a*`, and no pattern covers that channel alone. `*` alone covers every
// channel.
//
//   news        news
//   news*       news, newsroom, news:eu
//   chat:*      chat:1, chat:a:b; not chat
//   a*b         the channel a*b
//
// Bytes are compared as they are: no case folding, no Unicode normalisation. Stateless.
#pragma once

#include <string_view>

namespace auth {

bool covers(std::string_view pattern, std::string_view channel);

// 1 to 255 bytes without control characters: what may stand in a token. UTF-8 was checked where the text came in.
bool valid_pattern(std::string_view pattern);

}  // namespace auth
