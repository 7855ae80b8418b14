#include "ws/session.h"

#include <algorithm>

#include "base/assert.h"
#include "codec/utf8.h"
#include "ws/spill.h"

namespace ws {
namespace {

// Output of one receive() call beyond which the rest must wait for the next: with one more message of full size it is
// the bound of T03, message_bytes_max + 64 KiB.
constexpr std::size_t kShelfBytesMax = 64 * 1024;
// Events of one call: a read buffer may hold a hundred thousand empty frames.
constexpr std::size_t kEventsMax = 1024;

// DEFLATE may lengthen what it cannot compress: at worst nine bits per byte and some bytes per block. A compressed
// message longer than this inflates to more than bytes_max or consists of padding.
std::uint64_t wire_bytes_max(Compressed compressed, std::uint32_t bytes_max) {
  return compressed == Compressed::no ? bytes_max : std::uint64_t{bytes_max} + bytes_max / 8 + 64;
}

}  // namespace

Scratch::Scratch(base::Entropy& entropy) : entropy_(entropy) {}
Scratch::~Scratch() = default;

void Scratch::clear() {
  events_.clear();
  output_.clear();
  shelf_.clear();
  ping_.reset();
}

Session::Session() = default;

Session::Session(Role role, const Limits& limits, DeflateParams deflate) : limits_(&limits), bits_{} {
  bits_.client = role == Role::client;
  if (!deflate.enabled) return;
  const bool server = role == Role::server;
  const std::uint8_t send_bits = server ? deflate.server_max_window_bits : deflate.client_max_window_bits;
  const std::uint8_t receive_bits = server ? deflate.client_max_window_bits : deflate.server_max_window_bits;
  bits_.deflate = true;
  bits_.send_context = server ? !deflate.server_no_context_takeover : !deflate.client_no_context_takeover;
  bits_.receive_context = server ? !deflate.client_no_context_takeover : !deflate.server_no_context_takeover;
  bits_.send_window_bits = send_bits < kDeflateBitsMin ? 0 : std::min(send_bits, kDeflateBitsMax) & 15;
  // Senders that promise 8 bits may use 9: old zlib did so silently.
  bits_.receive_window_bits = std::max(receive_bits, kDeflateBitsMin) & 15;
}

Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::size_t Session::receive(Scratch& scratch, std::span<char> bytes, base::Instant now) {
  const auto room = [&] { return scratch.shelf_.capacity() <= kShelfBytesMax && scratch.events_.size() < kEventsMax; };
  std::span<char> rest = bytes;
  while (!rest.empty() && !bits_.over && room()) {
    const bool inside_frame = spill_ != nullptr && spill_->inside_frame;
    rest = rest.subspan(inside_frame ? continue_frame(scratch, rest, now) : start_frame(scratch, rest, now));
  }
  answer_ping(scratch);
  settle(now);
  return bits_.over ? bytes.size() : bytes.size() - rest.size();
}

void Session::receive_eof(Scratch& scratch) {
  if (bits_.over) return;
  bits_.over = true;
  spill_.reset();
  contexts_.reset();
  scratch.events_.push_back({.type = Event::Type::close, .close_code = 1006});
}

void Session::handle_timeout(Scratch& scratch, base::Instant now) {
  if (now >= next_timeout()) fail(scratch, base::Error::request_timeout);
  settle(now);
}

base::Instant Session::next_timeout() const { return spill_ == nullptr ? base::kNever : spill_->deadline; }

std::size_t Session::held_bytes() const {
  std::size_t bytes = 0;
  if (spill_ != nullptr) {
    bytes += sizeof(Spill);
    if (spill_->message.has_value()) bytes += spill_->message->held_bytes();
  }
  if (contexts_ != nullptr) {
    bytes += sizeof(Contexts);
    if (contexts_->inflater != nullptr) bytes += contexts_->inflater->held_bytes();
    if (contexts_->deflater != nullptr) bytes += contexts_->deflater->held_bytes();
  }
  return bytes;
}

Spill& Session::spill() {
  if (spill_ == nullptr) spill_ = std::make_unique<Spill>();
  return *spill_;
}

// `bytes` starts at or, if the spill has a part of it, inside a header.
std::size_t Session::start_frame(Scratch& scratch, std::span<char> bytes, base::Instant now) {
  const std::size_t spilled = spill_ == nullptr ? 0 : spill_->head_bytes;
  std::string_view head(bytes.data(), std::min(bytes.size(), kHeaderBytesMax));
  if (spilled > 0) {
    const std::size_t joined = head.copy(spill_->head.data() + spilled, kHeaderBytesMax - spilled);
    head = {spill_->head.data(), spilled + joined};
  }
  const bool inside_message = spill_ != nullptr && spill_->message.has_value();
  const HeaderReading reading =
      read_header(head, {.receiver = role(), .deflate = bits_.deflate, .inside_message = inside_message});
  switch (reading.status) {
    case HeaderReading::Status::need_more:
      // Shorter than any complete header, so all of `bytes` is in `head`.
      if (spilled == 0) head.copy(spill().head.data(), head.size());
      spill().head_bytes = static_cast<std::uint8_t>(head.size());
      return bytes.size();
    case HeaderReading::Status::failed:
      fail(scratch, reading.error);
      return bytes.size();
    case HeaderReading::Status::done:
      break;
  }
  if (spilled > 0) spill_->head_bytes = 0;
  const FrameHeader& header = reading.header;
  if (const base::Error error = admit(header); error != base::Error::none) {
    fail(scratch, error);
    return bytes.size();
  }

  const std::size_t header_taken = header.header_bytes - spilled;
  const std::span<char> rest = bytes.subspan(header_taken);
  if (header.payload_bytes <= rest.size()) {
    const std::span<char> payload = rest.first(static_cast<std::size_t>(header.payload_bytes));
    const bool ascii = codec::apply_mask(payload, header.key, 0);
    take_whole_frame(scratch, header, {payload.data(), payload.size()}, ascii, now);
    return header_taken + payload.size();
  }
  Spill& held = spill();
  held.frame = header;
  held.frame_taken = 0;
  held.inside_frame = true;
  if (!is_control(header.opcode)) enter_message(header);
  return header_taken + continue_frame(scratch, rest, now);
}

// `bytes` may be empty or end before the frame does.
std::size_t Session::continue_frame(Scratch& scratch, std::span<char> bytes, base::Instant now) {
  Spill& held = *spill_;
  const FrameHeader& header = held.frame;
  const std::uint64_t missing = header.payload_bytes - held.frame_taken;
  const std::span<char> piece = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), missing)));
  codec::apply_mask(piece, header.key, static_cast<std::size_t>(held.frame_taken % header.key.size()));
  const std::string_view payload(piece.data(), piece.size());
  const bool complete = piece.size() == missing;
  if (is_control(header.opcode)) {
    payload.copy(held.control.data() + held.frame_taken, payload.size());
  } else {
    take_piece(scratch, payload, complete ? header.fin : Fin::no);
  }
  held.frame_taken += piece.size();
  if (complete) {
    held.inside_frame = false;
    if (is_control(header.opcode)) {
      // The event's payload must outlive the spill.
      GrowingBytes copy = scratch.shelf_.blank();
      copy.append({held.control.data(), static_cast<std::size_t>(header.payload_bytes)}, kControlPayloadBytesMax);
      take_control(scratch, header.opcode, scratch.shelf_.keep(std::move(copy)), now);
    }
    leave_frame();
  }
  return piece.size();
}

// Limits that the header alone can break. Subtraction on the side of the cap: a declared length cannot wrap (T02).
base::Error Session::admit(const FrameHeader& header) const {
  if (is_control(header.opcode)) return base::Error::none;
  const bool continues = header.opcode == Opcode::continuation;
  const std::uint16_t fragments = continues ? spill_->fragments : std::uint16_t{0};
  if (fragments >= limits_->fragments_max) return base::Error::ws_too_many_fragments;
  const Compressed compressed = continues ? spill_->message->compressed() : header.compressed;
  const std::uint64_t have = continues ? spill_->message_wire_bytes : 0;
  const std::uint64_t cap = wire_bytes_max(compressed, limits_->message_bytes_max);
  return header.payload_bytes > cap - have ? base::Error::payload_too_big : base::Error::none;
}

void Session::take_whole_frame(Scratch& scratch, const FrameHeader& header, std::string_view payload, bool ascii,
                               base::Instant now) {
  if (is_control(header.opcode)) {
    take_control(scratch, header.opcode, payload, now);
  } else if (header.fin == Fin::yes && header.opcode != Opcode::continuation) {
    take_single(scratch, header, payload, ascii);
  } else {
    enter_message(header);
    take_piece(scratch, payload, header.fin);
  }
  leave_frame();
}

void Session::enter_message(const FrameHeader& header) {
  Spill& held = spill();
  if (header.opcode != Opcode::continuation) {
    held.message.emplace(header.opcode, header.compressed);
    held.message_wire_bytes = 0;
    held.fragments = 0;
  }
  held.message_wire_bytes += header.payload_bytes;
  ++held.fragments;
}

// Once nothing is incomplete, the clock of message_time_max stops.
void Session::leave_frame() {
  if (spill_ != nullptr && !spill_->message.has_value()) spill_->deadline = base::kNever;
}

void Session::take_piece(Scratch& scratch, std::string_view piece, Fin fin) {
  PartialMessage& message = *spill_->message;
  const std::uint64_t wire_max = wire_bytes_max(message.compressed(), limits_->message_bytes_max);
  if (fin == Fin::no) {
    const base::Error error = message.append(piece, wire_max);
    if (error != base::Error::none) fail(scratch, error);
    return;
  }
  const base::Error error =
      message.compressed() == Compressed::no ? message.finish(piece, wire_max) : inflate(scratch, message, piece);
  if (error != base::Error::none) return fail(scratch, error);
  deliver(scratch, message.opcode(), scratch.shelf_.keep(message.take_payload()));
  spill_->message.reset();
}

// The common case: a message in one frame that is there completely. Nothing is allocated for it.
void Session::take_single(Scratch& scratch, const FrameHeader& header, std::string_view payload, bool ascii) {
  if (header.compressed == Compressed::no) {
    if (header.opcode == Opcode::text && !ascii && !codec::utf8_valid(payload)) {
      return fail(scratch, base::Error::ws_utf8);
    }
    return deliver(scratch, header.opcode, payload);
  }
  PartialMessage message(header.opcode, Compressed::yes);
  const base::Error error = inflate(scratch, message, payload);
  if (error != base::Error::none) return fail(scratch, error);
  deliver(scratch, header.opcode, scratch.shelf_.keep(message.take_payload()));
}

base::Error Session::inflate(Scratch& scratch, PartialMessage& message, std::string_view last_piece) {
  return message.inflate(last_piece, limits_->message_bytes_max, ready_inflater(scratch), scratch.shelf_.blank());
}

// The session's own with its context, else the worker's, fresh.
Inflater& Session::ready_inflater(Scratch& scratch) {
  if (bits_.receive_context) {
    if (contexts_ == nullptr) contexts_ = std::make_unique<Contexts>();
    if (contexts_->inflater == nullptr) {
      const std::uint8_t window_bits = bits_.receive_window_bits;
      contexts_->inflater = std::make_unique<Inflater>(window_bits);
    }
    return *contexts_->inflater;
  }
  if (scratch.inflater_ == nullptr) scratch.inflater_ = std::make_unique<Inflater>(kInflateBitsMax);
  scratch.inflater_->reset();
  return *scratch.inflater_;
}

void Session::deliver(Scratch& scratch, Opcode opcode, std::string_view payload) {
  const Event::Type type = opcode == Opcode::text ? Event::Type::text : Event::Type::binary;
  scratch.events_.push_back({.type = type, .payload = payload});
}

void Session::take_control(Scratch& scratch, Opcode opcode, std::string_view payload, base::Instant now) {
  if (opcode == Opcode::close) {
    take_close(scratch, payload);
  } else if (control_rate_exceeded(now)) {
    fail(scratch, base::Error::ws_control_rate);
  } else {
    const bool ping = opcode == Opcode::ping;
    scratch.events_.push_back({.type = ping ? Event::Type::ping : Event::Type::pong, .payload = payload});
    if (ping) scratch.ping_ = payload;
  }
}

// Fixed seconds: at worst twice the rate for a moment, and six bytes of state.
bool Session::control_rate_exceeded(base::Instant now) {
  const auto second =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  if (second != control_second_) {
    control_second_ = second;
    control_frames_ = 0;
  }
  if (control_frames_ >= limits_->control_frames_max) return true;
  ++control_frames_;
  return false;
}

void Session::take_close(Scratch& scratch, std::string_view payload) {
  std::uint16_t code = 1005;  // RFC 6455 section 7.1.5: no code was there
  std::string_view reason;
  if (!payload.empty()) {
    if (payload.size() < 2) return fail(scratch, base::Error::ws_close_code);
    code = static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
    reason = payload.substr(2);
    if (!close_code_valid_on_wire(code)) return fail(scratch, base::Error::ws_close_code);
    if (!codec::utf8_valid(reason)) return fail(scratch, base::Error::ws_utf8);
  }
  answer_ping(scratch);
  append_close(scratch, payload.substr(0, 2));
  bits_.over = true;
  scratch.events_.push_back({.type = Event::Type::close, .close_code = code, .payload = reason});
}

void Session::fail(Scratch& scratch, base::Error error) {
  answer_ping(scratch);
  close(scratch, error);
  bits_.over = true;
  const base::ErrorEntry& entry = base::entry(error);
  scratch.events_.push_back(
      {.type = Event::Type::close, .error = error, .close_code = entry.close_code, .payload = entry.text});
}

// After every call: memory is held for what is incomplete and nothing else.
void Session::settle(base::Instant now) {
  if (bits_.over) {
    spill_.reset();
    contexts_.reset();
  } else if (spill_ != nullptr) {
    if (spill_->idle()) {
      spill_.reset();
    } else if (spill_->deadline == base::kNever) {
      spill_->deadline = now + limits_->message_time_max;
    }
  }
}

}  // namespace ws
