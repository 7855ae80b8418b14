// One configuration as the workers use it: the options and what is computed from them once. Immutable; shared by
// pointer.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/api_key.h"
#include "auth/operation_limits.h"
#include "auth/policy.h"
#include "auth/token.h"
#include "door/hook/event.h"
#include "http/request_reader.h"
#include "hub/home.h"
#include "loop/address.h"
#include "loop/tls.h"
#include "server/hook.h"
#include "server/options.h"
#include "ws/session.h"

namespace server {

// What the configuration asks of every token.
auth::TokenRules token_rules(const Options& options);

// Keys that were fetched, by key_source().
using KeySets = std::map<std::string, std::shared_ptr<const auth::KeySet>>;
// What keys belong to: an issuer and its URL, so that a change of either finds no keys of before.
std::string key_source(const IssuerOptions& issuer);

class Snapshot final : public hub::Rules {
 public:
  // The text of an error is for the operator (certificate, networks, public keys).
  static std::expected<std::shared_ptr<const Snapshot>, std::string> make(Options options, std::uint64_t version,
                                                                          const loop::TicketKeys& ticket_keys);

  const Options& options() const { return options_; }
  const auth::Policy& policy() const { return policy_; }
  const ws::Limits& ws_limits() const { return ws_limits_; }
  const http::RequestLimits& request_limits() const { return request_limits_; }
  const auth::ApiKeys& api_keys() const { return api_keys_; }
  const auth::TokenVerifier& tokens() const { return tokens_; }
  const loop::NetworkList& trusted_proxies() const { return trusted_proxies_; }
  const loop::TlsServerConfig* tls() const { return tls_.get(); }
  const hub::ChannelRules* rules_of(std::string_view channel) const override;
  // What the configuration says about this channel; null: its prefix is unknown and that is an error
  // (auth.strict_namespaces). Two lookups of a short text. Lives as long as the snapshot.
  const NamespaceOptions* options_of(std::string_view channel) const;
  // What one connection may do how often.
  const auth::OperationRates& operation_rates() const { return operation_rates_; }
  // The same with the keys that were fetched, of its own issuers.
  std::shared_ptr<const Snapshot> with_keys(const KeySets& keys) const;
  bool wants(door::hook::EventType event) const { return ((wanted_events_ >> static_cast<unsigned>(event)) & 1U) != 0; }
  const std::vector<egress::Header>& events_headers() const { return events_headers_; }
  // nullptr: there is none of that name.
  const Hook* hook(std::string_view name) const;
  // Every header of clients that any hook wants, each name once.
  const std::vector<std::string>& forwarded_headers() const { return forwarded_headers_; }
  egress::Reach reach_of_configured_urls() const {
    return options_.hooks_allow_private_addresses ? egress::Reach::private_too : egress::Reach::public_only;
  }
  hub::HomeOptions home_options(std::uint16_t workers) const;
  std::uint32_t page_bytes_max() const { return options_.queue_bytes_max / 4; }
  // What all queues of one worker may hold together: a quarter of the memory for all workers.
  std::uint64_t queues_bytes_max(std::uint16_t workers) const { return options_.memory_bytes_max / 4 / workers; }

 private:
  struct Space {
    NamespaceOptions options;
    hub::ChannelRules rules;
  };
  explicit Snapshot(const Options& options);
  const Space& space_named(std::string_view name) const;

  Options options_;
  auth::Policy policy_;
  auth::ApiKeys api_keys_;
  auth::TokenVerifier tokens_;
  ws::Limits ws_limits_;
  http::RequestLimits request_limits_;
  loop::NetworkList trusted_proxies_;
  std::shared_ptr<const loop::TlsServerConfig> tls_;
  auth::OperationRates operation_rates_;
  std::unordered_map<std::string, Hook, base::StringHash, std::equal_to<>> hooks_;
  std::vector<std::string> forwarded_headers_;
  std::vector<egress::Header> events_headers_;
  unsigned wanted_events_ = 0;  // one bit for each door::hook::EventType
  Space default_space_;
  std::unordered_map<std::string, Space, base::StringHash, std::equal_to<>> spaces_;  // without the default one
};

using SnapshotRef = std::shared_ptr<const Snapshot>;

}  // namespace server
