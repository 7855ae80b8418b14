// Fetches the keys of the issuers of the configuration, from the URLs that stand there and from nowhere else: nothing
// that a token says chooses where a request goes (threat T32). Keys belong to their issuer and URL; the same kid of two
// issuers is two keys.
//
// Fetched is at once for an issuer that is new, after issuer_keys_age_max again, when a worker saw a token with an
// unknown key (KeyWishes) but not within kIntervalMin of the last time, and after a failure with a wait that doubles.
// While it fails the old keys stay.
//
// What has changed goes into a new snapshot (Shared::replace_keys), so that no worker takes a lock for a token.
// Threads: owned by one worker, for all of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "auth/key_set.h"
#include "egress/egress.h"
#include "server/shared.h"

namespace server {

class KeyFetcher {
 public:
  static constexpr base::Duration kIntervalMin = std::chrono::seconds(10);
  static constexpr base::Duration kRetryMax = std::chrono::minutes(5);
  static constexpr base::Duration kTimeout = std::chrono::seconds(5);

  // Everything outlives it; `worker` is woken when an answer is there.
  KeyFetcher(Shared& shared, egress::Client& client, loop::Wakeup& worker)
      : shared_(shared), client_(client), inbox_(worker) {}

  // At first and after each change of the configuration.
  void follow(const Snapshot& snapshot, base::Instant now);
  // Several times a second.
  void step(const Snapshot& snapshot, base::Instant now);

 private:
  struct Source {
    std::string issuer;  // its name in the configuration
    std::string url;
    std::shared_ptr<const auth::KeySet> keys;  // null: never fetched
    base::Instant next;                        // fetch
    base::Instant earliest;                    // on a wish
    egress::Ticket ticket = 0;                 // on its way; 0: none
    unsigned failures = 0;                     // one after the other
  };

  void fetch(Source& source, const Snapshot& snapshot, base::Instant now);
  void answered(Source& source, const egress::Response& response, const Snapshot& snapshot, base::Instant now);
  void failed(Source& source, std::string_view reason, base::Instant now);
  void publish();
  void report();

  Shared& shared_;
  egress::Client& client_;
  egress::Inbox inbox_;
  std::map<std::string, Source> sources_;  // by key_source()
  egress::Ticket next_ticket_ = 1;
};

}  // namespace server
