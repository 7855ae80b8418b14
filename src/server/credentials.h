// Who is asking: finds the credential of a request, wherever it may travel (docs/protocol.md, Credentials), and checks
// it. Stateless but for the tickets it redeems.
#pragma once

#include <expected>
#include <memory>
#include <string_view>

#include "auth/auth.h"
#include "base/refusal.h"
#include "codec/url.h"
#include "http/request.h"
#include "server/desk.h"

namespace server {

using PrincipalRef = std::shared_ptr<const auth::Principal>;

// The principal of a request; null for an anonymous one. token_invalid, token_expired, token_in_query,
// revoked; bad_parameter if
// more than one kind of credential is given.
std::expected<PrincipalRef, base::Refusal> identify(Desk& desk, const http::Request& request,
                                                    const codec::Query& query);

// True if the request carries a valid API key: X-API-Key, or Authorization: apikey KEY, or where the configuration
// allows it (api.key_in_query) ?api_key=KEY.
bool has_api_key(const Desk& desk, const http::Request& request);

// What to tell of a token that was refused: the same, or busy if its key may be here in a moment.
base::Refusal refusal_of_token(Desk& desk, std::string_view token, const base::Refusal& refusal);

// The Bearer token of the Authorization header; empty if there is none.
std::string_view bearer_token(const http::Request& request);

}  // namespace server
