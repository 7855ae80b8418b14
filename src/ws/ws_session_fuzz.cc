// A session of either role, with any deflate parameters, must see the same events in any cuts, stay within its limits,
// and write only what a strict peer accepts. Input: role and parameters, piece size, then bytes from the wire.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ws/session_rig.h"

namespace {

constexpr ws::Limits kLimits{.message_bytes_max = 32 * 1024, .fragments_max = 8, .control_frames_max = 20};

ws::Lines run(ws::Role role, ws::DeflateParams params, std::string_view bytes, std::size_t piece_bytes) {
  ws::Tap tap(role, kLimits, params);
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) {
    tap.receive(bytes.substr(at, piece_bytes));
    // Spill and message: twice what came, and contexts.
    ASSERT(tap.session.held_bytes() <= 1024 + 2 * (bytes.size() + 256) + 50 * 1024);
  }
  ws::Tap peer(role == ws::Role::server ? ws::Role::client : ws::Role::server, ws::Tap::kDefaultLimits, params);
  peer.receive(tap.output);
  for (const std::string& line : peer.lines)
    ASSERT(!line.starts_with("close") || line.find(" E_") == std::string::npos);
  for (const std::string& line : tap.lines) ASSERT(line.size() <= kLimits.message_bytes_max + 16);
  return tap.lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const unsigned mode = data[0];
  const ws::Role role = (mode & 1) != 0 ? ws::Role::client : ws::Role::server;
  const ws::DeflateParams params{.enabled = (mode & 2) != 0,
                                 .server_no_context_takeover = (mode & 4) != 0,
                                 .client_no_context_takeover = (mode & 8) != 0,
                                 .server_max_window_bits = static_cast<std::uint8_t>(8 + (mode >> 4) % 8),
                                 .client_max_window_bits = static_cast<std::uint8_t>(8 + data[1] % 8)};
  const std::size_t piece_bytes = 1 + data[2];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const ws::Lines whole = run(role, params, bytes, bytes.size() + 1);
  ASSERT(run(role, params, bytes, piece_bytes) == whole);
  ASSERT(run(role, params, bytes, 1) == whole);
  return 0;
}
