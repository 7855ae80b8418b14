#include "server/key_fetcher.h"

#include <algorithm>
#include <utility>

#include "auth/jwks.h"

namespace server {

void KeyFetcher::step(const Snapshot& snapshot, base::Instant now) {
  if (sources_.empty()) return;
  for (const egress::Answer& answer : inbox_.take()) {
    const auto found =
        std::ranges::find_if(sources_, [&](const auto& each) { return each.second.ticket == answer.ticket; });
    if (found != sources_.end()) answered(found->second, answer.response, snapshot, now);
  }
  const bool wished = shared_.key_wishes.take();
  for (auto& [id, source] : sources_) {
    if (source.ticket == 0 && (now >= source.next || (wished && now >= source.earliest))) fetch(source, snapshot, now);
  }
  report();
}

void KeyFetcher::follow(const Snapshot& snapshot, base::Instant now) {
  std::map<std::string, Source> wanted;
  for (const IssuerOptions& each : snapshot.options().issuers) {
    const std::string id = key_source(each);
    auto known = sources_.extract(id);
    if (known.empty()) {
      wanted.emplace(id,
                     Source{.issuer = each.name, .url = each.jwks_url, .keys = nullptr, .next = now, .earliest = now});
    } else {
      wanted.insert(std::move(known));
    }
  }
  const bool some_gone = !sources_.empty();
  sources_ = std::move(wanted);
  if (some_gone) publish();
  report();
}

void KeyFetcher::fetch(Source& source, const Snapshot& snapshot, base::Instant now) {
  egress::Request request{.method = egress::Request::Method::get,
                          .url = source.url,
                          .headers = {{"Accept", "application/json"}},
                          .body = {},
                          .timeout = kTimeout,
                          .response_bytes_max = auth::kJwksBytesMax,
                          .reach = snapshot.reach_of_configured_urls()};
  const egress::Ticket ticket = next_ticket_++;
  source.earliest = now + kIntervalMin;
  if (!client_.submit(std::move(request), inbox_, ticket))
    return failed(source, "too many requests are on their way", now);
  source.ticket = ticket;
  source.next = base::kNever;
}

void KeyFetcher::answered(Source& source, const egress::Response& response, const Snapshot& snapshot,
                          base::Instant now) {
  source.ticket = 0;
  if (response.failure != egress::Failure::none) {
    return failed(source, std::string(to_string(response.failure)) + ": " + response.detail, now);
  }
  if (response.status != 200) return failed(source, "HTTP status " + std::to_string(response.status), now);
  auto set = auth::parse_jwks(response.body);
  if (!set) return failed(source, "the document " + std::string(set.error()), now);
  auth::KeySet keys;
  for (auth::Key& key : set->keys) keys.add(std::move(key));
  // Not one usable key is far more often a mistake than a wish, and would lock everybody out.
  if (keys.empty()) return failed(source, "the document has no key in it that can be used", now);
  source.failures = 0;
  source.next = now + snapshot.options().issuer_keys_age_max;
  if (source.keys != nullptr && std::ranges::equal(source.keys->keys(), keys.keys())) return;
  source.keys = std::make_shared<const auth::KeySet>(std::move(keys));
  std::string line = "keys_fetched";
  append_field(line, "issuer", source.issuer);
  append_field(line, "keys", std::to_string(source.keys->keys().size()));
  append_field(line, "left_out", std::to_string(set->skipped.size()));
  shared_.log.write(LogLevel::info, line);
  publish();
}

void KeyFetcher::failed(Source& source, std::string_view reason, base::Instant now) {
  base::Duration wait = kIntervalMin;
  for (unsigned i = 0; i < source.failures && wait < kRetryMax; ++i) wait *= 2;
  ++source.failures;
  source.next = now + std::min(wait, kRetryMax);
  std::string line = "keys_not_fetched";
  append_field(line, "issuer", source.issuer);
  append_field(line, "reason", reason);
  append_field(line, "keys", source.keys == nullptr ? "none" : "the old ones");
  shared_.log.write(LogLevel::warning, line);
}

void KeyFetcher::publish() {
  KeySets keys;
  for (const auto& [id, source] : sources_) {
    if (source.keys != nullptr) keys.emplace(id, source.keys);
  }
  shared_.replace_keys(std::move(keys));
}

void KeyFetcher::report() {
  using State = KeyWishes::State;
  State state = State::settled;
  base::Instant allowed_from = sources_.empty() ? base::kNever : base::Instant::min();
  for (const auto& [id, source] : sources_) {
    if (source.keys == nullptr) {
      state = State::missing;
    } else if (source.ticket != 0 && state == State::settled) {
      state = State::fetching;
    }
    allowed_from = std::max(allowed_from, source.earliest);
  }
  shared_.key_wishes.say(state, allowed_from);
}

}  // namespace server
