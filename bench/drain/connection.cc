#include "bench/drain/connection.h"

#include <linux/tcp.h>  // glibc 2.36's <netinet/tcp.h> has a tcp_info without tcpi_data_segs_in
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "bench/native.h"

namespace bench {

Connection::Connection(Shared& shared, const DrainOptions& options, const Route& route, std::uint64_t id)
    : shared_(shared), options_(options), route_(route), id_(id), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(options.port));
  if (fd_ < 0 || connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) die("connect");
  int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id_;
  if (epoll_ctl(shared_.poller, EPOLL_CTL_ADD, fd_, &event) < 0) die("epoll_ctl");
  plain_ = options.bare || (&route == &options.publisher && options.publishing == Publishing::raw);
  if (plain_) {
    state_ = State::open;
    return;
  }
  std::string request = "GET " + route.path + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
                        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  for (const std::string& header : route.headers) request += header + "\r\n";
  if (options.deflate) {
    request +=
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n";
  }
  send(request + "\r\n");
}

Connection::~Connection() {
  if (fd_ >= 0) close(fd_);
}

std::uint64_t Connection::segments() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) die("TCP_INFO");
  return info.tcpi_data_segs_in;
}

void Connection::send(std::string_view bytes) {
  if (state_ == State::ended) return;
  if (out_.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) return end(std::strerror(errno));
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    if (bytes.empty()) return;
    watch(EPOLLIN | EPOLLOUT);
  }
  out_.append(bytes);
}

void Connection::flush(std::uint32_t events) {
  if ((events & EPOLLOUT) == 0 || out_.empty()) return;
  ssize_t sent = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
  if (out_.empty()) watch(EPOLLIN);
}

std::string_view Connection::read(std::uint32_t events) {
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0 || state_ == State::ended) return {};
  ssize_t got = recv(fd_, shared_.buffer.data(), shared_.buffer.size(), MSG_DONTWAIT);
  if (got == 0) end("the server closed the connection");
  if (got < 0 && errno != EAGAIN) end(std::strerror(errno));
  return {shared_.buffer.data(), static_cast<std::size_t>(got > 0 ? got : 0)};
}

std::string_view Connection::take_answer(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes);
  const std::size_t end_of_head = head_.find("\r\n\r\n");
  if (end_of_head == std::string::npos) return {};
  if (!head_.starts_with("HTTP/1.1 101")) {
    end(head_.substr(0, 300));
    return {};
  }
  if (options_.deflate && head_.find("permessage-deflate") == std::string::npos) {
    end("the server does not compress");
    return {};
  }
  state_ = route_.ready.empty() ? State::open : State::greeting;
  std::string frames;
  for (const Hello& hello : route_.hellos) append_frame(frames, hello.opcode, hello.payload);
  if (!frames.empty()) send(frames);
  bytes.remove_prefix(end_of_head + 4 - before);
  std::string().swap(head_);
  return bytes;
}

void Connection::take_greeting(std::string_view piece) {
  head_.append(piece);
  if (head_.find(route_.ready) == std::string::npos) return;
  state_ = State::open;
  std::string().swap(head_);
}

void Connection::control(Opcode opcode, std::string_view piece, bool end_of_frame) {
  control_.append(piece);
  if (!end_of_frame) return;
  if (opcode == Opcode::close) end("close: " + (control_.size() > 2 ? control_.substr(2) : "without a reason"));
  if (opcode == Opcode::pong) ++pongs_;
  if (opcode == Opcode::ping) {
    std::string pong;
    append_frame(pong, Opcode::pong, control_);
    send(pong);
  }
  control_.clear();
}

void Connection::stall() {
  int bytes = 16 * 1024;
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  looks_for_gaps_ = true;
  watch(0);
}

void Connection::go_on() { watch(EPOLLIN); }

void Connection::ping() {
  std::string frame;
  append_frame(frame, Opcode::ping, "are you there?");
  send(frame);
}

void Connection::take_gap() {
  constexpr std::string_view kFrom = "\"gap\":{\"from\":", kTo = ",\"to\":";
  const std::size_t from = record_.find(kFrom);
  if (from == std::string::npos) return;
  const std::size_t to = record_.find(kTo, from);
  if (to == std::string::npos) return end("a gap without an end");
  auto number = [this](std::size_t at) { return std::strtoull(record_.c_str() + at, nullptr, 10); };
  announced_ += number(to + kTo.size()) + 1 - number(from + kFrom.size());
}

void Connection::watch(std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id_;
  epoll_ctl(shared_.poller, EPOLL_CTL_MOD, fd_, &event);
}

void Connection::end(std::string why) {
  if (state_ == State::ended) return;
  state_ = State::ended;
  why_ = std::move(why);
  // No more events; the descriptor lives until the object does, so that its number is not given to another.
  epoll_ctl(shared_.poller, EPOLL_CTL_DEL, fd_, nullptr);
}

}  // namespace bench
