#include "server/snapshot.h"

#include <algorithm>

#include "loop/resource.h"

namespace server {
namespace {

// Of the changes of an ephemeral map nobody asks what was missed; but who reads its state page by page must find those
// that came meanwhile.
constexpr hub::LogLimits kEphemeralLog{.messages_max = 1000, .bytes_max = 1 << 20, .age_max = 30s};

std::optional<hub::MapRules> map_rules(const NamespaceOptions& options) {
  if (options.subscription_type == hub::SubscriptionType::stream) return std::nullopt;
  return hub::MapRules{
      .type = options.subscription_type,
      .mode = options.map_mode,
      .ordered = options.map_ordered,
      .key_ttl = options.map_mode == hub::MapMode::persistent ? base::Duration{0} : options.map_key_ttl,
      .keys_max = options.map_keys_max,
      .bytes_max = options.map_bytes_max};
}

hub::ChannelRules rules_of_namespace(const NamespaceOptions& options) {
  hub::ChannelRules rules = {.log = {.messages_max = options.history_messages_max,
                                     .bytes_max = options.history_bytes_max,
                                     .age_max = options.history_age_max},
                             .last_value = options.last_value || options.recovery_mode == RecoveryMode::cache,
                             .max_delay = options.max_delay,
                             .slow_reader = options.slow_reader,
                             .map = map_rules(options),
                             .durable = options.durable};
  if (rules.map && rules.map->mode == hub::MapMode::ephemeral) rules.log = kEphemeralLog;
  return rules;
}

}  // namespace

Snapshot::Snapshot(const Options& options)
    : operation_rates_({.publish = options.publishes_per_s_max,
                        .subscribe = options.subscribes_per_s_max,
                        .history = options.history_reads_per_s_max,
                        .presence = options.presence_reads_per_s_max,
                        .rpc = options.rpcs_per_s_max,
                        .subscribe_burst = options.channels_per_peer_max}) {}

auth::TokenRules token_rules(const Options& options) {
  return {.audience = options.token_audience,
          .issuer = options.token_issuer,
          .user_claim = options.token_user_claim,
          .secrets = options.allow_short_keys ? auth::SecretLength::any : auth::SecretLength::safe};
}

std::expected<std::shared_ptr<const Snapshot>, std::string> Snapshot::make(Options options, std::uint64_t version,
                                                                           const loop::TicketKeys& ticket_keys) {
  std::shared_ptr<Snapshot> made(new Snapshot(options));
  const bool open = options.dev || options.insecure_clients;
  auth::PolicyRules rules{.mode = open ? auth::PolicyRules::Mode::open : auth::PolicyRules::Mode::closed,
                          .unknown_prefix = options.strict_namespaces ? auth::PolicyRules::UnknownPrefix::is_error
                                                                      : auth::PolicyRules::UnknownPrefix::is_default,
                          .private_channels = options.private_channels,
                          .version = version};
  for (const NamespaceOptions& each : options.namespaces) {
    std::optional<auth::NamePattern> pattern;
    if (!each.channel_pattern.empty()) {
      auto parsed = auth::NamePattern::parse(each.channel_pattern);
      if (!parsed) return std::unexpected("channel_pattern = " + each.channel_pattern + " " + parsed.error());
      pattern = *std::move(parsed);
    }
    rules.namespaces.push_back({each.name, each.permissions, std::move(pattern)});
    (each.name.empty() ? made->default_space_ : made->spaces_[each.name]) = {each, rules_of_namespace(each)};
  }
  made->policy_ = auth::Policy(std::move(rules));
  made->api_keys_ = auth::ApiKeys(options.api_keys);
  auto tokens =
      auth::TokenVerifier::make(options.token_hs256_keys, options.token_public_keys_pem, token_rules(options));
  if (!tokens) return std::unexpected("auth.token_public_keys_file " + tokens.error());
  std::vector<auth::TokenDomain> domains;
  domains.reserve(options.issuers.size());
  for (const IssuerOptions& each : options.issuers) {
    domains.push_back({.rules = {.audience = each.audience, .issuer = each.issuer}, .keys = nullptr});
  }
  tokens->set_domains(std::move(domains));
  made->tokens_ = *std::move(tokens);
  made->ws_limits_ = {.message_bytes_max = options.message_bytes_max,
                      .fragments_max = options.fragments_max,
                      .message_time_max = options.message_time_max,
                      .control_frames_max = options.control_frames_per_s_max};
  // A JSON body of /api/publish may carry a payload of the full size as base64, and all the tags that a message may
  // have.
  made->request_limits_.body_bytes_max = options.message_bytes_max + options.message_bytes_max / 2 + 4096 + 32 * 1024;
  auto proxies = loop::NetworkList::parse(options.trusted_proxies);
  if (!proxies) return std::unexpected(proxies.error());
  made->trusted_proxies_ = *std::move(proxies);
  if (!options.tls_certificate_file.empty()) {
    auto tls = loop::TlsServerConfig::load(options.tls_certificate_file, options.tls_key_file, ticket_keys);
    if (!tls) return std::unexpected(tls.error());
    made->tls_ = std::make_shared<const loop::TlsServerConfig>(*std::move(tls));
  }
  for (const HookOptions& each : options.hooks) {
    auto hook = Hook::make(each);
    if (!hook) return std::unexpected(hook.error());
    for (const std::string& name : each.forward_headers) {
      const auto known = [&](const std::string& other) { return http::same_name(other, name); };
      if (std::ranges::none_of(made->forwarded_headers_, known)) made->forwarded_headers_.push_back(name);
    }
    made->hooks_.insert_or_assign(each.name, *std::move(hook));
  }
  for (const base::Secret& text : options.events_headers) {
    auto header = parse_header(text.reveal());
    if (!header) return std::unexpected("events.headers: one of them " + std::string(header.error()));
    made->events_headers_.push_back(*std::move(header));
  }
  for (const std::string& name : options.events_types) {
    const auto type = door::hook::event_type_named(name);
    if (type && !options.events_url.empty()) made->wanted_events_ |= 1U << static_cast<unsigned>(*type);
  }
  const bool occupancy = made->wants(door::hook::EventType::occupied) || made->wants(door::hook::EventType::vacated);
  made->default_space_.rules.occupancy = occupancy;
  for (auto& [name, space] : made->spaces_) space.rules.occupancy = occupancy;
  if (options.memory_bytes_max == 0) options.memory_bytes_max = loop::memory_limit_bytes() / 4 * 3;
  if (options.history_bytes_total_max == 0) options.history_bytes_total_max = options.memory_bytes_max / 4;
  if (options.map_bytes_total_max == 0) options.map_bytes_total_max = options.memory_bytes_max / 4;
  made->options_ = std::move(options);
  return made;
}

std::string key_source(const IssuerOptions& issuer) { return issuer.name + ' ' + issuer.jwks_url; }

std::shared_ptr<const Snapshot> Snapshot::with_keys(const KeySets& keys) const {
  std::shared_ptr<Snapshot> made(new Snapshot(*this));
  std::vector<auth::TokenDomain> domains = tokens_.domains();
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const auto found = keys.find(key_source(options_.issuers[i]));
    domains[i].keys = found == keys.end() ? nullptr : found->second;
  }
  made->tokens_.set_domains(std::move(domains));
  return made;
}

const hub::ChannelRules* Snapshot::rules_of(std::string_view channel) const {
  const auto name = policy_.namespace_of(channel);
  return &space_named(name.value_or("")).rules;
}

const NamespaceOptions* Snapshot::options_of(std::string_view channel) const {
  const auto name = policy_.namespace_of(channel);
  return name ? &space_named(*name).options : nullptr;
}

const Snapshot::Space& Snapshot::space_named(std::string_view name) const {
  const auto found = name.empty() ? spaces_.end() : spaces_.find(name);
  return found == spaces_.end() ? default_space_ : found->second;
}

const Hook* Snapshot::hook(std::string_view name) const {
  const auto found = hooks_.find(name);
  return found == hooks_.end() ? nullptr : &found->second;
}

hub::HomeOptions Snapshot::home_options(std::uint16_t workers) const {
  return {.log_bytes_max = std::max<std::uint64_t>(options_.history_bytes_total_max / workers, 1 << 20),
          .map_bytes_max = std::max<std::uint64_t>(options_.map_bytes_total_max / workers, 1 << 20),
          .channels_max = std::max<std::uint32_t>(options_.channels_max / workers, 1),
          .channel_idle = options_.channel_idle,
          .tombstone_ttl = options_.history_meta_ttl,
          .tombstones_max = options_.tombstones_max / workers};
}

}  // namespace server
