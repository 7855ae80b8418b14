#include "server/credentials.h"

#include "ws/handshake.h"

namespace server {
namespace {

constexpr std::string_view kBearerSubprotocol = "wirebird.bearer.";

// The rest of an Authorization header of that scheme (case-insensitive, RFC 9110 section 11.1); empty if it is another.
std::string_view authorization(const http::Request& request, std::string_view scheme) {
  const auto header = request.find("Authorization");
  if (!header || header->size() <= scheme.size() || (*header)[scheme.size()] != ' ') return {};
  if (!http::same_name(header->substr(0, scheme.size()), scheme)) return {};
  std::string_view rest = header->substr(scheme.size() + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return rest;
}

std::expected<PrincipalRef, base::Refusal> unless_revoked(const Desk& desk, auth::Principal principal) {
  const bool good = desk.shared.revocations.verdict(principal, desk.clock.wall()) == Revocations::Verdict::good;
  if (!good) return std::unexpected(base::Error::revoked);
  return std::make_shared<const auth::Principal>(std::move(principal));
}

}  // namespace

std::string_view bearer_token(const http::Request& request) { return authorization(request, "Bearer"); }

bool has_api_key(const Desk& desk, const http::Request& request) {
  const auto verified = [&](std::string_view presented) {
    return !presented.empty() && desk.snapshot->api_keys().verify(presented).has_value();
  };
  if (request.count("X-API-Key") > 0) return verified(request.find("X-API-Key").value_or(""));
  if (const std::string_view presented = authorization(request, "apikey"); !presented.empty()) {
    return verified(presented);
  }
  if (!desk.options().api_key_in_query) return false;
  const auto query = codec::Query::parse(request.query);
  return query && verified(query->find("api_key").value_or(""));
}

base::Refusal refusal_of_token(Desk& desk, std::string_view token, const base::Refusal& refusal) {
  if (refusal.error != base::Error::token_invalid || !desk.snapshot->tokens().names_unknown_key(token)) return refusal;
  if (!desk.shared.key_wishes.want(desk.now)) return refusal;
  return {base::Error::busy, "The keys of its issuer are being fetched."};
}

std::expected<PrincipalRef, base::Refusal> identify(Desk& desk, const http::Request& request,
                                                    const codec::Query& query) {
  std::string_view token;
  int given = 0;
  const auto offer = [&](std::string_view credential) {
    token = credential;
    ++given;
  };
  if (request.count("Authorization") > 1) {
    return std::unexpected(base::Refusal(base::Error::token_invalid, "There are two Authorization headers."));
  }
  if (const std::string_view bearer = bearer_token(request); !bearer.empty()) offer(bearer);
  if (ws::asks_for_websocket(request)) {
    const auto subprotocols = ws::offered_subprotocols(request);
    if (!subprotocols) return std::unexpected(subprotocols.error());
    for (const std::string_view each : *subprotocols) {
      if (each.starts_with(kBearerSubprotocol)) offer(each.substr(kBearerSubprotocol.size()));
    }
  }
  const bool ticket_given = query.count("ticket") > 0;
  const bool token_in_query = query.count("token") > 0;
  if (token_in_query && !desk.options().token_in_query) return std::unexpected(base::Error::token_in_query);
  if (token_in_query) offer(query.find("token").value_or(""));
  const bool api_key = request.count("X-API-Key") > 0;
  if (given + (ticket_given ? 1 : 0) + (api_key ? 1 : 0) > 1) {
    return std::unexpected(base::Refusal(base::Error::bad_parameter,
                                         "one credential: Authorization, a subprotocol, ticket, token or X-API-Key"));
  }

  if (api_key) {
    auto principal = desk.snapshot->api_keys().verify(request.find("X-API-Key").value_or(""));
    if (!principal) return std::unexpected(principal.error());
    return std::make_shared<const auth::Principal>(*std::move(principal));
  }
  if (ticket_given) {
    auto principal = desk.shared.tickets.redeem(query.find("ticket").value_or(""), desk.now);
    if (!principal) return std::unexpected(principal.error());
    return unless_revoked(desk, *std::move(principal));
  }
  if (given == 0) return nullptr;
  auto principal = desk.snapshot->tokens().verify(token, desk.clock.wall());
  if (!principal) return std::unexpected(refusal_of_token(desk, token, principal.error()));
  return unless_revoked(desk, *std::move(principal));
}

}  // namespace server
