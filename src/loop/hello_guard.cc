#include "loop/hello_guard.h"

#include <algorithm>

namespace loop {

namespace {

constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kRecordHeaderBytes = 5;   // type, version (2), length (2)
constexpr std::uint8_t kMessageHeaderBytes = 4;  // type, length (3)

}  // namespace

void HelloGuard::begin_record(unsigned char byte) {
  if (record_have_ == 0) {
    record_type_ = byte;
    if (byte != kHandshakeRecord) incomplete_ = false;
  } else if (record_have_ >= 3) {
    record_left_ = (record_have_ == 3 ? 0 : record_left_ << 8) | byte;
  }
  ++record_have_;
}

void HelloGuard::begin_message(unsigned char byte) {
  if (message_have_ == 0) {
    message_type_ = byte;
    message_left_ = 0;
    if (byte != kClientHello) incomplete_ = false;
  } else {
    message_left_ = message_left_ << 8 | byte;
  }
  ++message_have_;
  if (message_have_ < kMessageHeaderBytes) return;
  if (message_type_ == kClientHello && message_left_ > kHelloBytesMax) refused_ = true;
}

bool HelloGuard::accepts(std::string_view bytes) {
  if (!watching_) return !refused_;
  while (!bytes.empty() && !refused_) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    std::size_t taken = 1;
    if (record_have_ < kRecordHeaderBytes) {
      begin_record(byte);
    } else if (record_type_ != kHandshakeRecord) {
      taken = std::min<std::size_t>(bytes.size(), record_left_);
      record_left_ -= static_cast<std::uint32_t>(taken);
    } else if (message_have_ < kMessageHeaderBytes) {
      begin_message(byte);
      --record_left_;
    } else {
      taken = std::min<std::size_t>({bytes.size(), record_left_, message_left_});
      record_left_ -= static_cast<std::uint32_t>(taken);
      message_left_ -= static_cast<std::uint32_t>(taken);
    }
    bytes.remove_prefix(taken);

    if (message_have_ == kMessageHeaderBytes && message_left_ == 0) {
      message_have_ = 0;
      incomplete_ = false;
    }
    if (record_have_ == kRecordHeaderBytes && record_left_ == 0) record_have_ = 0;
  }
  return !refused_;
}

}  // namespace loop
