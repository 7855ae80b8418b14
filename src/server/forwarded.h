// Who is behind a proxy: reads Forwarded (RFC 7239) and X-Forwarded-For, but only from proxies that are trusted.
// Stateless.
#pragma once

#include <optional>

#include "http/request.h"
#include "loop/address.h"
#include "loop/io.h"

namespace server {

// The client's address: the last one in the chain that is not itself a trusted proxy. nullopt if `from` is not trusted,
// if it says nothing, or if what it says is no address (then `from` stays responsible). Forwarded wins over
// X-Forwarded-For.
std::optional<loop::Address> forwarded_address(const http::Request& request, const loop::Address& from,
                                               const loop::NetworkList& trusted);

// True if a trusted proxy says that the client came by https (X-Forwarded-Proto or Forwarded proto=).
bool forwarded_https(const http::Request& request, const loop::Address& from, const loop::NetworkList& trusted);

}  // namespace server
