// The client side of ws/ against the Autobahn test suite's fuzzing server: echoes every message of every case.
// Usage: autobahn_client PORT. Run by torture_autobahn.py; blocking sockets, because nothing else happens here.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "http/response_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace {

constexpr ws::Limits kLimits{.message_bytes_max = 64 << 20, .fragments_max = 60'000};

class Connection {
 public:
  explicit Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    up_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes) {
    while (up_ && !bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      up_ = sent > 0;
      if (up_) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Empty at the end of the stream.
  std::span<char> receive() {
    const auto received = up_ ? ::recv(socket_, buffer_.data(), buffer_.size(), 0) : 0;
    up_ = received > 0;
    return std::span(buffer_).first(up_ ? static_cast<std::size_t>(received) : 0);
  }

 private:
  int socket_;
  bool up_ = false;
  std::array<char, 65536> buffer_{};
};

// Runs one connection to its end; returns the last text that came.
std::string run(std::uint16_t port, std::string target, bool echo) {
  base::SeededEntropy entropy(1);
  const ws::ClientOptions options{
      .host = fmt::format("127.0.0.1:{}", port), .target = std::move(target), .deflate = true};
  const ws::ClientHandshake handshake = ws::start(options, entropy);
  Connection connection(port);
  connection.send(handshake.request);

  const http::ResponseLimits response_limits;
  http::ResponseReader reader(response_limits);
  std::span<char> bytes;
  while (reader.status() != http::ResponseReader::Status::done) {
    if (bytes.empty()) bytes = connection.receive();
    if (bytes.empty()) return {};
    bytes = bytes.subspan(reader.receive({bytes.data(), bytes.size()}));
    if (reader.status() == http::ResponseReader::Status::failed) return {};
  }
  const auto established = ws::finish(handshake, options, reader.response());
  if (!established) {
    fmt::print(stderr, "{}: {}\n", options.target, base::to_string(established.error()));
    return {};
  }

  ws::Scratch scratch(entropy);
  ws::Session session(ws::Role::client, kLimits, established->deflate);
  std::string last;
  std::vector<std::pair<ws::Event::Type, std::string>> answers;
  while (!session.closed()) {
    if (bytes.empty()) bytes = connection.receive();
    if (bytes.empty()) break;
    scratch.clear();
    bytes = bytes.subspan(session.receive(scratch, bytes, base::Instant{}));
    connection.send(scratch.output());
    answers.clear();
    for (const ws::Event& event : scratch.events()) {
      if (event.type != ws::Event::Type::text && event.type != ws::Event::Type::binary) continue;
      if (echo) answers.emplace_back(event.type, event.payload);
      last = event.payload;
    }
    for (const auto& [type, payload] : answers) {
      scratch.clear();
      if (type == ws::Event::Type::text) {
        session.send_text(scratch, payload);
      } else {
        session.send_binary(scratch, payload);
      }
      connection.send(scratch.output());
    }
  }
  return last;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return EXIT_FAILURE;
  const auto port = static_cast<std::uint16_t>(std::strtoul(argv[1], nullptr, 10));
  const std::string count = run(port, "/getCaseCount", false);
  for (unsigned long i = 1; i <= std::strtoul(count.c_str(), nullptr, 10); ++i) {
    run(port, fmt::format("/runCase?case={}&agent=wirebird", i), true);
  }
  run(port, "/updateReports?agent=wirebird", false);
  return EXIT_SUCCESS;
}
