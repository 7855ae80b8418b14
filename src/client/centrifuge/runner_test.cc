// The client as a program sees it: its thread, callbacks, executors, futures and its end, over real sockets, against a
// small server of the protocol on a thread of the test.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wirebird/client.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/entropy.h"
#include "client/core/centrifuge/arguments.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "http/request_reader.h"
#include "ws/handshake.h"
#include "ws/session.h"

namespace wirebird {
namespace {

namespace wire = door::centrifuge;
using namespace std::chrono_literals;

constexpr auto kPatience = 20s;  // for what comes at once unless the machine is very busy

// One connection at a time; JSON. It publishes to whoever publishes and is subscribed, answers rpc "echo" with its
// data, cuts at rpc "cut", and says nothing to rpc "silent". Channel "denied" is refused.
class TestServer {
 public:
  TestServer() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    EXPECT_EQ(::pipe(stop_.data()), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~TestServer() {
    EXPECT_EQ(::write(stop_[1], "x", 1), 1);
    thread_.join();
    for (const int descriptor : {listener_, stop_[0], stop_[1]}) ::close(descriptor);
  }

  std::string url() const { return "ws://127.0.0.1:" + std::to_string(port_) + "/connection/websocket"; }
  int connections() const { return connections_; }
  int frames() const { return frames_; }

 private:
  bool readable(int descriptor) {
    std::array<pollfd, 2> both{pollfd{descriptor, POLLIN, 0}, pollfd{stop_[0], POLLIN, 0}};
    ::poll(both.data(), both.size(), -1);
    return both[1].revents == 0;
  }

  void run() {
    while (readable(listener_)) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) continue;
      ++connections_;
      serve(socket);
      ::close(socket);
    }
  }

  void serve(int socket) {
    http::RequestLimits request_limits;
    http::RequestReader reader(request_limits);
    base::SeededEntropy entropy(1);
    ws::Limits limits;
    ws::Scratch scratch(entropy);
    ws::Session session(ws::Role::server, limits);
    bool upgraded = false;
    channels_.clear();
    std::array<char, 65536> bytes;
    while (readable(socket)) {
      const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (count <= 0) return;
      std::span<char> rest(bytes.data(), static_cast<std::size_t>(count));
      if (!upgraded) {
        reader.receive({rest.data(), rest.size()});
        if (reader.status() != http::RequestReader::Status::done) continue;
        const auto accepted = ws::accept(reader.request(), {});
        if (!accepted) return;
        send(socket, ws::switching_protocols(*accepted));
        upgraded = true;
        continue;
      }
      while (!rest.empty()) {
        scratch.clear();
        rest = rest.subspan(session.receive(scratch, rest, {}));
        std::string answers;
        bool cut = false;
        for (const ws::Event& event : scratch.events()) {
          if (event.type == ws::Event::Type::close) cut = true;
          if (event.type == ws::Event::Type::text) cut = cut || !answer(event.payload, answers);
        }
        if (!answers.empty()) session.send_text(scratch, answers);
        send(socket, scratch.output());
        if (cut) return;
      }
    }
  }

  // False: cut.
  bool answer(std::string_view frame, std::string& out) {
    ++frames_;
    wire::JsonReader reader(frame);
    wire::Command command;
    const auto say = [&](const wire::Reply& reply) {
      if (!out.empty()) out += '\n';
      wire::append_json(out, reply);
    };
    while (reader.next(command) == wire::Next::command) {
      if (std::holds_alternative<wire::ConnectRequest>(command.request)) {
        say({.id = command.id, .body = wire::ConnectResult{.client = "c", .version = "test"}});
      } else if (const auto* subscribe = std::get_if<wire::SubscribeRequest>(&command.request)) {
        if (subscribe->channel == "denied") {
          say({.id = command.id, .error = wire::ReplyError{103, "permission denied"}});
        } else {
          channels_.insert(std::string(subscribe->channel));
          say({.id = command.id, .body = wire::SubscribeResult{}});
        }
      } else if (const auto* unsubscribe = std::get_if<wire::UnsubscribeRequest>(&command.request)) {
        channels_.erase(std::string(unsubscribe->channel));
        say({.id = command.id, .body = wire::UnsubscribeResult{}});
      } else if (const auto* publish = std::get_if<wire::PublishRequest>(&command.request)) {
        say({.id = command.id, .body = wire::PublishResult{}});
        if (channels_.contains(std::string(publish->channel))) {
          say({.body = wire::Push{.channel = publish->channel, .body = wire::Publication{.data = publish->data}}});
        }
      } else if (const auto* rpc = std::get_if<wire::RpcRequest>(&command.request)) {
        if (rpc->method == "cut") return false;
        if (rpc->method == "echo") say({.id = command.id, .body = wire::RpcResult{rpc->data}});
      }
    }
    return true;
  }

  static void send(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::array<int, 2> stop_{};
  std::atomic<int> connections_{0};
  std::atomic<int> frames_{0};
  std::set<std::string> channels_;
  std::thread thread_;
};

// What callbacks say, for the test's thread to wait for.
class Diary {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !lines_.empty(); })) return "nothing";
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return line;
  }
  // Reads on until that line.
  bool wait_for(std::string_view line) {
    while (true) {
      const std::string found = next();
      if (found == line) return true;
      if (found == "nothing") return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
};

std::unique_ptr<Client> client_of(const std::string& url, ClientOptions options = {}) {
  auto client = Client::create(url, std::move(options));
  EXPECT_TRUE(client) << client.error().message;
  return std::move(*client);
}

template <typename T>
Result<T> wait(std::future<Result<T>> future) {
  if (future.wait_for(kPatience) != std::future_status::ready) return Error{999, "the future never came", false};
  return future.get();
}

std::string text(const Error& error) { return std::to_string(error.code) + " " + error.message; }

void watch(Client& client, Diary& diary) {
  client.on_connecting([&](const ConnectingEvent& e) { diary.write("connecting " + std::to_string(e.code)); });
  client.on_connected([&](const ConnectedEvent& e) { diary.write("connected " + e.version); });
  client.on_disconnected([&](const DisconnectedEvent& e) { diary.write("disconnected " + std::to_string(e.code)); });
}

void watch(Subscription& subscription, Diary& diary) {
  subscription.on_subscribed([&](const SubscribedEvent&) { diary.write("subscribed"); });
  subscription.on_unsubscribed(
      [&](const UnsubscribedEvent& e) { diary.write("unsubscribed " + std::to_string(e.code)); });
  subscription.on_publication([&](const Publication& e) { diary.write("publication " + e.data); });
}

TEST(CentrifugeClient, EverythingOnce) {
  TestServer server;
  Diary diary;
  const auto client = client_of(server.url());
  watch(*client, diary);
  const auto news = *client->new_subscription("news");
  watch(*news, diary);
  EXPECT_EQ(news->channel(), "news");
  EXPECT_EQ(news->state(), SubscriptionState::unsubscribed);
  EXPECT_EQ(client->subscription("news"), news);
  EXPECT_EQ(client->subscription("other"), nullptr);
  EXPECT_EQ(client->new_subscription("news").error().code, ErrorCode::bad_configuration);
  news->subscribe();
  client->connect();
  EXPECT_EQ(diary.next(), "connecting 0");
  EXPECT_EQ(diary.next(), "connected test");
  EXPECT_EQ(diary.next(), "subscribed");
  EXPECT_EQ(client->state(), ClientState::connected);
  EXPECT_EQ(news->state(), SubscriptionState::subscribed);
  news->publish(R"({"a":
1})",
                [&](const Result<PublishResult>& result) { diary.write(result ? "published" : text(result.error())); });
  EXPECT_EQ(diary.next(), "published");
  EXPECT_EQ(diary.next(), R"(publication {"a":1})");
  EXPECT_EQ(wait(client->rpc("echo", "[1]"))->data, "[1]");
  client->rpc("echo", "2", [&](const Result<RpcResult>& result) { diary.write("rpc " + result->data); });
  EXPECT_EQ(diary.next(), "rpc 2");
  EXPECT_TRUE(wait(client->send("\"x\"")));
  news->unsubscribe();
  EXPECT_EQ(diary.next(), "unsubscribed 0");
  client->disconnect();
  EXPECT_EQ(diary.next(), "disconnected 0");
  EXPECT_EQ(client->state(), ClientState::disconnected);
  client->remove_subscription(news);
  EXPECT_EQ(client->subscription("news"), nullptr);
  EXPECT_TRUE(client->new_subscription("news"));
}

TEST(CentrifugeClient, ComesBack) {
  TestServer server;
  Diary diary;
  ClientOptions options;
  options.reconnect_delay_min = 1ms;
  options.reconnect_delay_max = 5ms;
  const auto client = client_of(server.url(), options);
  watch(*client, diary);
  const auto news = *client->new_subscription("news");
  watch(*news, diary);
  news->subscribe();
  client->connect();
  EXPECT_TRUE(diary.wait_for("subscribed"));
  const auto cut = wait(client->rpc("cut", ""));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, ErrorCode::connection_closed);
  EXPECT_TRUE(diary.wait_for("connecting 1"));
  EXPECT_TRUE(diary.wait_for("subscribed"));
  EXPECT_EQ(server.connections(), 2);
  EXPECT_TRUE(wait(client->publish("news", "7")));
  EXPECT_EQ(diary.next(), "publication 7");
}

TEST(CentrifugeClient, NobodyThere) {
  std::string url;
  {
    TestServer server;
    url = server.url();
  }
  Diary diary;
  const auto client = client_of(url);
  client->on_error([&](const Error& error) { diary.write(text(error)); });
  client->connect();
  EXPECT_TRUE(diary.next().starts_with("2 cannot connect"));
  const auto nowhere = client_of("ws://host.invalid/");
  nowhere->on_error([&](const Error& error) { diary.write(text(error)); });
  nowhere->connect();
  EXPECT_TRUE(diary.next().starts_with("2 host.invalid:80"));
}

TEST(CentrifugeClient, BadConfiguration) {
  for (const std::string url : {"", "ftp://x", "ws://", "ws://a b", "ws://x#y"}) {
    const auto client = Client::create(url);
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error().code, ErrorCode::bad_configuration);
  }
  const auto wrong = [](auto change) {
    ClientOptions options;
    change(options);
    return !Client::create("ws://127.0.0.1", options);
  };
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.data = "{"; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.token = "\xff"; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.name = "\xff"; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.headers = {{"a", "\xff"}}; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.http_headers = {{"a b", "c"}}; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.http_headers = {{"a", "b\r\nc: d"}}; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.timeout = 0ms; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.reconnect_delay_min = 30s; }));
  EXPECT_TRUE(wrong([](ClientOptions& o) { o.message_bytes_max = 0; }));
  EXPECT_FALSE(wrong([](ClientOptions& o) { o.http_headers = {{"Origin", "https://a"}, {"x", "ü"}}; }));
  ClientOptions tls;
  tls.tls_ca_file = "/nonexistent.pem";
  EXPECT_FALSE(Client::create("wss://127.0.0.1", tls));

  const auto client = client_of("ws://127.0.0.1");
  const auto refused = [&](std::string channel, auto change) {
    SubscriptionOptions options;
    change(options);
    return !client->new_subscription(std::move(channel), options);
  };
  EXPECT_TRUE(refused("", [](SubscriptionOptions&) {}));
  EXPECT_TRUE(refused("\xff", [](SubscriptionOptions&) {}));
  EXPECT_TRUE(refused("a", [](SubscriptionOptions& o) { o.data = "x"; }));
  EXPECT_TRUE(refused("a", [](SubscriptionOptions& o) { o.token = "\xff"; }));
  EXPECT_TRUE(refused("a", [](SubscriptionOptions& o) { o.since = StreamPosition{1, "\xff"}; }));
  EXPECT_TRUE(refused("a", [](SubscriptionOptions& o) { o.tags_filter = TagsFilter::equal("a", "\xff"); }));
  EXPECT_TRUE(refused(
      "a", [](SubscriptionOptions& o) { o.tags_filter = TagsFilter::all({TagsFilter::one_of("a", {"\xff"})}); }));
  EXPECT_TRUE(refused("a", [](SubscriptionOptions& o) {
    o.tags_filter = TagsFilter::exists("a");
    o.delta = SubscriptionOptions::Delta::fossil;
  }));
  EXPECT_TRUE(refused("a", [](SubscriptionOptions& o) { o.resubscribe_delay_max = 1ms; }));
  const auto subscription = *client->new_subscription("a");
  EXPECT_FALSE(subscription->set_data("{"));
  EXPECT_TRUE(subscription->set_data("{}"));
  EXPECT_FALSE(subscription->set_tags_filter(TagsFilter::equal("\xff", "")));
  EXPECT_TRUE(subscription->set_tags_filter(std::nullopt));
  EXPECT_FALSE(client->set_data("{"));
  EXPECT_FALSE(client->set_token("\xff"));
}

TEST(CentrifugeClient, BadArguments) {
  const auto client = client_of("ws://127.0.0.1");
  EXPECT_EQ(wait(client->publish("a", "{")).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(wait(client->publish("\xff", "1")).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(wait(client->rpc("\xff", "1")).error().code, ErrorCode::bad_argument);
  HistoryOptions options;
  options.since = StreamPosition{1, "\xff"};
  EXPECT_EQ(wait(client->history("a", options)).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(wait(client->presence("\xff")).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(wait(client->presence_stats("\xff")).error().code, ErrorCode::bad_argument);
  EXPECT_EQ(wait(client->publish("a", "1")).error().code, ErrorCode::client_disconnected);
}

TEST(CentrifugeClient, QueuesHaveAnEnd) {
  TestServer server;
  for (const bool by_count : {true, false}) {
    ClientOptions options;
    if (by_count) {
      options.pending_calls_max = 3;
    } else {
      options.pending_bytes_max = 10000;
    }
    const auto client = client_of(server.url(), options);
    client->connect();
    const std::string data = '"' + std::string(2500, 'x') + '"';
    std::vector<std::future<Result<RpcResult>>> silent;
    for (int i = 0; i < 3; ++i) silent.push_back(client->rpc("silent", data));
    EXPECT_EQ(wait(client->rpc("echo", data)).error().code, ErrorCode::queue_full);
  }
}

// Calls that are made together leave together.
TEST(CentrifugeClient, CallsOfOneCallbackAreOneFrame) {
  TestServer server;
  const auto client = client_of(server.url());
  std::promise<void> all;
  std::atomic<int> answers{0};
  client->on_connected([&](const ConnectedEvent&) {
    for (int i = 0; i < 100; ++i) {
      client->publish("news", "1", [&](const Result<PublishResult>& result) {
        EXPECT_TRUE(result);
        if (++answers == 100) all.set_value();
      });
    }
  });
  client->connect();
  EXPECT_EQ(all.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(server.frames(), 2);  // the connect before it
}

TEST(CentrifugeClient, Tokens) {
  TestServer server;
  Diary diary;
  ClientOptions options;
  std::vector<std::thread> threads;
  options.reconnect_delay_min = 1ms;
  options.reconnect_delay_max = 1ms;
  std::atomic<int> asked{0};
  options.get_token = [&](const TokenAnswer& answer) {
    switch (asked++) {
      case 0:
        return;  // forgotten: no answer is an answer too
      case 1:
        return answer.token("\xff");
      default:
        threads.emplace_back([answer] { answer.token("jwt"); });
    }
  };
  const auto client = client_of(server.url(), options);
  client->on_error([&](const Error& error) { diary.write(text(error)); });
  client->on_connected([&](const ConnectedEvent&) { diary.write("connected"); });
  SubscriptionOptions refused;
  refused.get_token = [](const TokenAnswer& answer) { answer.unauthorized(); };
  const auto subscription = *client->new_subscription("news", refused);
  watch(*subscription, diary);
  subscription->subscribe();
  client->connect();
  EXPECT_EQ(diary.next(), "5 get_token gave no answer");
  EXPECT_EQ(diary.next(), "5 The token is not UTF-8.");
  EXPECT_TRUE(diary.wait_for("unsubscribed 1"));
  for (std::thread& thread : threads) thread.join();
}

TEST(CentrifugeClient, Executor) {
  TestServer server;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> queue;
  ClientOptions options;
  options.executor = [&](std::function<void()> work) {
    const std::lock_guard lock(mutex);
    queue.push_back(std::move(work));
    changed.notify_all();
  };
  const auto work_until = [&](const std::atomic<bool>& done) {
    while (!done) {
      std::unique_lock lock(mutex);
      if (!changed.wait_for(lock, kPatience, [&] { return !queue.empty(); })) return;
      const std::function<void()> work = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      work();
    }
  };
  auto client = client_of(server.url(), options);
  const std::thread::id here = std::this_thread::get_id();
  std::atomic<bool> connected{false};
  std::atomic<bool> answered{false};
  client->on_connected([&](const ConnectedEvent&) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    connected = true;
  });
  client->connect();
  work_until(connected);
  ASSERT_TRUE(connected);
  // Futures do not need the executor.
  EXPECT_EQ(wait(client->rpc("echo", "1"))->data, "1");
  client->rpc("echo", "2", [&](const Result<RpcResult>& result) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(result->data, "2");
    answered = true;
  });
  work_until(answered);
  EXPECT_TRUE(answered);
  std::atomic<bool> ended{false};
  client->rpc("silent", "3", [&](const Result<RpcResult>& result) {
    EXPECT_EQ(result.error().code, ErrorCode::client_closed);
    ended = true;
  });
  client.reset();
  work_until(ended);
  EXPECT_TRUE(ended);
}

// --- the end ---

TEST(CentrifugeClient, EndsAtAnyTime) {
  TestServer server;
  client_of(server.url());  // never connected
  for (int i = 0; i < 20; ++i) {
    auto client = client_of(server.url());
    auto subscription = *client->new_subscription("news");
    subscription->subscribe();
    client->connect();
    std::future<Result<RpcResult>> echo = client->rpc("echo", "1");
    std::future<Result<RpcResult>> silent = client->rpc("silent", "2");
    if (i % 2 == 0) {
      EXPECT_TRUE(wait(std::move(echo)));
    }
    client.reset();
    EXPECT_EQ(wait(std::move(silent)).error().code, ErrorCode::client_closed);
    EXPECT_EQ(subscription->state(), SubscriptionState::unsubscribed);
    subscription->subscribe();
    subscription->on_publication([](const Publication&) {});
    EXPECT_FALSE(subscription->set_data("1"));
    EXPECT_EQ(wait(subscription->publish("1")).error().code, ErrorCode::client_closed);
    std::uint32_t code = 0;
    subscription->presence([&](const Result<PresenceResult>& result) { code = result.error().code; });
    EXPECT_EQ(code, ErrorCode::client_closed);
  }
}

TEST(CentrifugeClient, EndsInsideACallback) {
  TestServer server;
  Diary diary;
  auto client = client_of(server.url());
  auto subscription = *client->new_subscription("news");
  subscription->on_subscribed([&](const SubscribedEvent&) { diary.write("too much"); });
  subscription->subscribe();
  client->on_connected([&](const ConnectedEvent&) {
    std::future<Result<RpcResult>> silent = client->rpc("silent", "1");
    client->rpc("silent", "2", [&](const Result<RpcResult>& result) { diary.write(text(result.error())); });
    client.reset();
    diary.write("gone");
  });
  client->connect();
  EXPECT_EQ(diary.next(), "gone");
  EXPECT_EQ(diary.next(), "4 client closed");
  EXPECT_EQ(wait(subscription->publish("1")).error().code, ErrorCode::client_closed);
}

TEST(CentrifugeClient, ManyThreads) {
  TestServer server;
  const auto client = client_of(server.url());
  client->connect();
  std::atomic<int> answers{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      const auto channel = "channel" + std::to_string(thread);
      const auto subscription = *client->new_subscription(channel);
      subscription->on_publication([&](const Publication&) { ++answers; });
      subscription->subscribe();
      for (int i = 0; i < 100; ++i) EXPECT_TRUE(wait(subscription->publish(std::to_string(i))));
      EXPECT_EQ(wait(client->rpc("echo", "1"))->data, "1");  // everything before has arrived
      client->remove_subscription(subscription);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers, 400);
}

}  // namespace
}  // namespace wirebird
