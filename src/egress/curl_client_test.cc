#include "egress/curl_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <thread>

namespace egress {
namespace {

using namespace std::chrono_literals;

// A listener on a free port of 127.0.0.1 that answers with whole texts, one thread per connection.
class Backend {
 public:
  // What to send for a request; nothing: silence until the client goes.
  using Answer = std::function<std::optional<std::string>(const std::string& request)>;

  explicit Backend(Answer answer) : answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(socket_, 64), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept(); });
  }
  ~Backend() {
    ::shutdown(socket_, SHUT_RDWR);
    accepting_.join();
    ::close(socket_);
    {
      const std::lock_guard lock(mutex_);
      for (const int each : connections_) ::shutdown(each, SHUT_RDWR);
    }
    for (auto& each : serving_) each.join();
    for (const int each : connections_) ::close(each);
  }

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& host = "127.0.0.1", const std::string& path = "/hook") const {
    return "http://" + host + ":" + std::to_string(port_) + path;
  }
  std::size_t connections() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept() {
    while (true) {
      const int connection = ::accept(socket_, nullptr, nullptr);
      if (connection < 0) return;
      const std::lock_guard lock(mutex_);
      connections_.push_back(connection);
      serving_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int connection) {
    std::string bytes;
    char buffer[4096];
    while (true) {
      const std::size_t head = bytes.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t at = bytes.find("Content-Length: ");
        const std::size_t body = at < head ? std::stoul(bytes.substr(at + 16)) : 0;
        if (bytes.size() >= head + 4 + body) {
          const std::string request = bytes.substr(0, head + 4 + body);
          bytes.erase(0, request.size());
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
          }
          const auto text = answer_(request);
          if (text && ::send(connection, text->data(), text->size(), MSG_NOSIGNAL) < 0) return;
          if (text && text->find("Connection: close") != std::string::npos) ::shutdown(connection, SHUT_WR);
          continue;
        }
      }
      const ssize_t count = ::read(connection, buffer, sizeof buffer);
      if (count <= 0) return;
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
  }

  Answer answer_;
  int socket_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<int> connections_;
  std::vector<std::string> requests_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Owner final : public loop::Wakeup {
 public:
  bool wake() override {
    const std::lock_guard lock(mutex_);
    woken_ = true;
    changed_.notify_all();
    return true;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 30s, [&] { return woken_; })) << "no answer";
    woken_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

struct CurlClientTest : testing::Test {
  void run() {
    thread = std::thread([this] { client.run(); });
  }
  void SetUp() override { run(); }
  void TearDown() override {
    client.stop();
    if (thread.joinable()) thread.join();
  }

  static Request to(std::string url) {
    return {.url = std::move(url), .body = "{}", .timeout = 20s, .reach = Reach::private_too};
  }
  Response send(Request request) {
    EXPECT_TRUE(client.submit(std::move(request), inbox, 7));
    std::vector<Answer> answers;
    while (answers.empty()) {
      owner.wait();
      answers = inbox.take();
      if (testing::Test::HasFailure()) return {};
    }
    EXPECT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers.front().ticket, 7U);
    return answers.front().response;
  }

  Owner owner;
  Inbox inbox{owner};
  CurlClient client;
  std::thread thread;
};

TEST_F(CurlClientTest, PostsAndKeepsTheConnection) {
  Backend backend([](const std::string& request) { return ok("got " + std::to_string(request.size())); });
  Request request = to(backend.url("127.0.0.1", "/a%20b?c=d"));
  request.headers = {{"Content-Type", "application/json"}, {"X-Secret", "s"}, {"X-Empty", ""}};
  request.body = R"({"client":"x"})";
  for (int i = 0; i < 3; ++i) {
    const Response response = send(request);
    EXPECT_EQ(response.failure, Failure::none) << response.detail;
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(response.body.starts_with("got ")) << response.body;
    EXPECT_GT(response.took.count(), 0);
  }
  EXPECT_EQ(backend.connections(), 1U);
  const std::string seen = backend.requests().at(0);
  EXPECT_TRUE(seen.starts_with("POST /a%20b?c=d HTTP/1.1\r\n")) << seen;
  for (const auto* line : {"\r\nX-Secret: s\r\n", "\r\nX-Empty:\r\n", "\r\nContent-Type: application/json\r\n",
                           "\r\nUser-Agent: wirebird\r\n", "\r\nContent-Length: 14\r\n"}) {
    EXPECT_NE(seen.find(line), std::string::npos) << line << seen;
  }
  EXPECT_EQ(seen.find("Expect"), std::string::npos);
  EXPECT_TRUE(seen.ends_with(R"({"client":"x"})"));
}

TEST_F(CurlClientTest, GetHasNoBody) {
  Backend backend([](const std::string&) { return ok("keys"); });
  Request request = to(backend.url());
  request.method = Request::Method::get;
  EXPECT_EQ(send(request).body, "keys");
  EXPECT_TRUE(backend.requests().at(0).starts_with("GET /hook HTTP/1.1\r\n"));
}

TEST_F(CurlClientTest, ManyAtOnce) {
  Backend backend([](const std::string& request) { return ok(request.substr(request.rfind('\n') + 1)); });
  constexpr Ticket kRequests = 200;
  for (Ticket ticket = 0; ticket < kRequests; ++ticket) {
    Request request = to(backend.url());
    request.body = std::to_string(ticket);
    ASSERT_TRUE(client.submit(std::move(request), inbox, ticket));
  }
  std::map<Ticket, std::string> answers;
  while (answers.size() < kRequests && !HasFailure()) {
    for (Answer& answer : inbox.take()) answers[answer.ticket] = answer.response.body;
    if (answers.size() < kRequests) owner.wait();
  }
  for (const auto& [ticket, body] : answers) EXPECT_EQ(body, std::to_string(ticket));
}

TEST_F(CurlClientTest, AnyStatusIsAnAnswer) {
  for (const int status : {204, 301, 400, 403, 500, 503}) {
    Backend backend([&](const std::string&) {
      return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + (status == 204 ? "" : "Content-Length: 0\r\n") + "\r\n";
    });
    const Response response = send(to(backend.url()));
    EXPECT_EQ(response.failure, Failure::none);
    EXPECT_EQ(response.status, status);
  }
}

// T44
TEST_F(CurlClientTest, RedirectsAreNotFollowed) {
  Backend inner([](const std::string&) { return ok("secret"); });
  Backend outer([&](const std::string&) {
    return "HTTP/1.1 307 X\r\nLocation: " + inner.url() + "\r\nContent-Length: 0\r\n\r\n";
  });
  EXPECT_EQ(send(to(outer.url())).status, 307);
  EXPECT_EQ(inner.connections(), 0U);
}

// T44: a name that resolves to a private address is what DNS rebinding ends in. No connection is begun.
TEST_F(CurlClientTest, PublicOnlyReachesNothingPrivate) {
  Backend backend([](const std::string&) { return ok("secret"); });
  for (const auto* host : {"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.8.8.8"}) {
    Request request = to(backend.url(host));
    request.reach = Reach::public_only;
    const Response response = send(request);
    EXPECT_EQ(response.failure, Failure::denied) << host << " " << response.detail;
    EXPECT_EQ(response.status, 0);
  }
  for (const auto* url : {"http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://0.0.0.0:80/",
                          "http://[64:ff9b::a9fe:a9fe]/", "http://224.0.0.1/"}) {
    EXPECT_EQ(send(to(url)).failure, Failure::denied) << url << ": not for operators either";
  }
  for (const auto* url :
       {"gopher://127.0.0.1/", "file:///etc/passwd", "http://2130706433/", "http://a@127.0.0.1/", ""}) {
    EXPECT_EQ(send(to(url)).failure, Failure::denied) << url;
  }
  EXPECT_EQ(backend.connections(), 0U);
}

TEST_F(CurlClientTest, AKeptConnectionOpensNoDoor) {
  Backend backend([](const std::string&) { return ok("x"); });
  EXPECT_EQ(send(to(backend.url())).failure, Failure::none);
  Request request = to(backend.url());
  request.reach = Reach::public_only;
  EXPECT_EQ(send(request).failure, Failure::denied);
  EXPECT_EQ(backend.requests().size(), 1U);
}

TEST_F(CurlClientTest, NeverToItself) {
  Backend backend([](const std::string&) { return ok("x"); });
  client.stop();
  thread.join();
  CurlClient careful;
  careful.set_own_listeners({{*http::parse_ipv4("127.0.0.1"), backend.port()}});
  std::thread runner([&] { careful.run(); });
  EXPECT_TRUE(careful.submit(to(backend.url("localhost")), inbox, 7));
  owner.wait();
  const auto answers = inbox.take();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].response.failure, Failure::denied);
  EXPECT_EQ(answers[0].response.detail, "the host leads back to this server");
  careful.stop();
  runner.join();
  EXPECT_EQ(backend.connections(), 0U);
}

// A proxy of the environment would connect where the guard does not see it.
TEST_F(CurlClientTest, ProxiesOfTheEnvironmentAreIgnored) {
  Backend proxy([](const std::string&) { return ok("proxied"); });
  Backend backend([](const std::string&) { return ok("direct"); });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  ::setenv("ALL_PROXY", proxy.url().c_str(), 1);
  EXPECT_EQ(send(to(backend.url())).body, "direct");
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_EQ(proxy.connections(), 0U);
}

TEST_F(CurlClientTest, TooLarge) {
  Backend fits([](const std::string&) { return ok(std::string(100, 'x')); });
  Request request = to(fits.url());
  request.response_bytes_max = 100;
  EXPECT_EQ(send(request).body.size(), 100U);
  request.response_bytes_max = 99;
  const Response response = send(request);
  EXPECT_EQ(response.failure, Failure::too_large);
  EXPECT_TRUE(response.body.empty());

  // A length that nobody said.
  Backend endless(
      [](const std::string&) { return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(1000, 'x'); });
  request.url = endless.url();
  EXPECT_EQ(send(request).failure, Failure::too_large);

  Backend headers([](const std::string&) {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 100; ++i) text += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
    return text + "Content-Length: 0\r\n\r\n";
  });
  request.url = headers.url();
  EXPECT_EQ(send(request).failure, Failure::too_large);
}

TEST_F(CurlClientTest, Failures) {
  Backend silent([](const std::string&) { return std::nullopt; });
  Request slow = to(silent.url());
  slow.timeout = 50ms;
  EXPECT_EQ(send(slow).failure, Failure::timeout);

  std::uint16_t free_port = 0;
  {
    free_port = Backend([](const std::string&) { return ok(""); }).port();
  }
  const Response nobody = send(to("http://127.0.0.1:" + std::to_string(free_port) + "/token-in-path"));
  EXPECT_EQ(nobody.failure, Failure::unreachable);
  EXPECT_EQ(nobody.detail.find("token-in-path"), std::string::npos) << nobody.detail;

  EXPECT_EQ(send(to("http://no-such-host.invalid/")).failure, Failure::unresolved);

  for (const auto* garbage :
       {"hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nabc"}) {
    Backend broken([&](const std::string&) { return garbage + std::string(); });
    Request request = to(broken.url());
    request.timeout = 5s;
    const Response response = send(request);
    EXPECT_EQ(response.failure, Failure::broken) << garbage << response.detail;
    EXPECT_TRUE(response.body.empty());
  }
}

TEST_F(CurlClientTest, Busy) {
  client.stop();
  thread.join();
  CurlClient asleep;  // nobody runs it
  for (std::size_t i = 0; i < CurlClient::kInFlightMax; ++i)
    ASSERT_TRUE(asleep.submit(to("http://127.0.0.1:1/"), inbox, i));
  EXPECT_FALSE(asleep.submit(to("http://127.0.0.1:1/"), inbox, 7));
  asleep.stop();
  asleep.run();
  const auto answers = inbox.take();
  EXPECT_EQ(answers.size(), CurlClient::kInFlightMax) << "whoever was taken is answered";
  for (const Answer& answer : answers) EXPECT_EQ(answer.response.failure, Failure::stopped);
  EXPECT_FALSE(asleep.submit(to("http://127.0.0.1:1/"), inbox, 7)) << "it ends";
}

TEST_F(CurlClientTest, StopsWhileRequestsAreOnTheirWay) {
  Backend silent([](const std::string&) { return std::nullopt; });
  ASSERT_TRUE(client.submit(to(silent.url()), inbox, 1));
  client.stop();
  thread.join();
  const auto answers = inbox.take();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].response.failure, Failure::stopped);
}

}  // namespace
}  // namespace egress
