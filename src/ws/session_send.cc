// The sending half of a session: commands, answers, and compression of single messages.
#include <array>
#include <bit>
#include <string>

#include "base/assert.h"
#include "codec/utf8.h"
#include "ws/deflate.h"
#include "ws/session.h"
#include "ws/spill.h"

namespace ws {

void Session::send_text(Scratch& scratch, std::string_view utf8) {
  ASSERT_SLOW(codec::utf8_valid(utf8));
  append_message(scratch, Opcode::text, utf8);
}

void Session::send_binary(Scratch& scratch, std::string_view bytes) { append_message(scratch, Opcode::binary, bytes); }

void Session::send_ping(Scratch& scratch, std::string_view payload) { append_frame(scratch, Opcode::ping, payload); }

void Session::close(Scratch& scratch, std::uint16_t code, std::string_view reason) {
  ASSERT(close_code_valid_on_wire(code));
  std::string payload = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += codec::utf8_prefix(reason, kControlPayloadBytesMax - payload.size());
  append_close(scratch, payload);
}

void Session::close(Scratch& scratch, base::Error error) {
  const base::ErrorEntry& entry = base::entry(error);
  std::string reason(entry.code);
  reason += ' ';
  reason += entry.text;
  close(scratch, entry.close_code, reason);
}

std::uint8_t Session::shared_deflate_bits() const {
  return bits_.send_context ? std::uint8_t{0} : bits_.send_window_bits;
}

// RFC 6455 section 5.5.3: of several pings only the newest needs an answer, so a flood costs one pong per read (T12).
void Session::answer_ping(Scratch& scratch) {
  if (!scratch.ping_.has_value()) return;
  append_frame(scratch, Opcode::pong, *scratch.ping_);
  scratch.ping_.reset();
}

void Session::append_close(Scratch& scratch, std::string_view payload) {
  append_frame(scratch, Opcode::close, payload);
  bits_.close_sent = true;
}

void Session::append_message(Scratch& scratch, Opcode opcode, std::string_view payload) {
  if (closing()) return;
  if (deflate(scratch, payload)) {
    append_frame(scratch, opcode, scratch.deflated_, Compressed::yes);
  } else {
    append_frame(scratch, opcode, payload);
  }
}

void Session::append_frame(Scratch& scratch, Opcode opcode, std::string_view payload, Compressed compressed) {
  if (closing()) return;
  if (role() == Role::server) {
    append_server_frame(scratch.output_, opcode, payload, compressed);
  } else {
    const auto key = std::bit_cast<codec::MaskKey>(scratch.entropy_.next32());
    append_client_frame(scratch.output_, opcode, payload, key, compressed);
  }
}

// True if scratch.deflated_ should be sent in the payload's place.
bool Session::deflate(Scratch& scratch, std::string_view payload) {
  const std::uint8_t window_bits = bits_.send_window_bits;
  if (window_bits == 0 || payload.size() < kDeflateBytesMin) return false;
  scratch.deflated_.clear();
  if (bits_.send_context) {
    if (contexts_ == nullptr) contexts_ = std::make_unique<Contexts>();
    if (contexts_->deflater == nullptr) contexts_->deflater = std::make_unique<Deflater>(window_bits);
    contexts_->deflater->compress_with_context(scratch.deflated_, payload);
    return true;  // even if longer: it is part of the context now
  }
  if (scratch.deflater_ == nullptr || scratch.deflater_->window_bits() != window_bits) {
    scratch.deflater_ = std::make_unique<Deflater>(window_bits);
  }
  scratch.deflater_->compress_alone(scratch.deflated_, payload);
  return scratch.deflated_.size() < payload.size();
}

}  // namespace ws
