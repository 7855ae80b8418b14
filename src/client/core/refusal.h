// What a server says when it refuses over HTTP: status, and {"code","message","retry_after"} where it is ours. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/core/position.h"
#include "http/request.h"

namespace client {

// Nobody waits longer because a server says so: an hour is an operator's slip or a proxy's.
inline constexpr base::Duration kRetryAfterMax = std::chrono::minutes(10);

struct Refusal {
  std::uint16_t status = 0;
  std::string code;     // "E_FORBIDDEN"; empty: not our server's answer
  std::string message;  // for a person
  std::optional<base::Duration> retry_after;

  // The same request may be taken later: 408, 425, 429 and 5xx except 501 and 505.
  bool passing() const;
  std::string text() const;  // "E_FORBIDDEN This is not permitted ..." or "HTTP 502"
};

Refusal read_refusal(const http::ResponseHead& head, std::string_view body);

// The answer to a publish. What an older server does not say is empty or 0.
struct PublishedAnswer {
  Position position;
  std::string level;          // what the message survives: "accepted"
  std::uint64_t workers = 0;  // of the server, with subscribers of the channel
};
std::optional<PublishedAnswer> read_published(std::string_view body);  // nullopt: it is not such an answer

}  // namespace client
