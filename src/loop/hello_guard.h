// Watches the first flight of a TLS client. It says when the ClientHello is complete, so that no TLS state is made for
// a peer that sends nine bytes and waits, and it refuses one that declares more than 16 KiB (T10). OpenSSL 3.0 takes
// 128 KiB, and like Netty in CVE-2026-45416 it allocates what is declared before the bytes have come.
//
// A pure value; not a TLS parser: it follows records (RFC 8446 5.1) and the headers of the handshake messages in them
// (section 4) just far enough, and leaves every other judgement to OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace loop {

class HelloGuard {
 public:
  static constexpr std::uint32_t kHelloBytesMax = 16 * 1024;

  // The next bytes of the stream. False: a ClientHello is too big; sticky.
  bool accepts(std::string_view bytes);

  // The first message has not come to its end. False as well as soon as it is something that OpenSSL will refuse.
  bool incomplete() const { return incomplete_; }

  // From here on handshake records are encrypted: everything is accepted. A second ClientHello may come before
  // (RFC 8446 4.1.4), even after a ChangeCipherSpec record (appendix D.4), so only the owner can tell.
  void stop() { watching_ = false; }

  // The type of the record that the last byte belongs to; 0 before the first.
  std::uint8_t record_type() const { return record_type_; }

 private:
  void begin_record(unsigned char byte);
  void begin_message(unsigned char byte);

  bool watching_ = true;
  bool refused_ = false;
  bool incomplete_ = true;
  std::uint8_t record_type_ = 0;
  std::uint8_t record_have_ = 0;  // of its 5 header bytes
  std::uint8_t message_type_ = 0;
  std::uint8_t message_have_ = 0;   // of its 4 header bytes
  std::uint32_t record_left_ = 0;   // body bytes to come
  std::uint32_t message_left_ = 0;  // body bytes to come; while its header is read, the length so far
};

}  // namespace loop
