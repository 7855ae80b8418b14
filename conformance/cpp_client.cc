// The C++ client of the Centrifuge protocol as a puppet of test_cpp_client.py: commands as lines of JSON on the
// standard input, what happens as lines of JSON on the standard output. Only the public headers talk to the server.
#include <wirebird/client.h>

#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "codec/json_in.h"
#include "codec/json_out.h"

namespace {

using codec::JsonValue;
using codec::JsonWriter;
using namespace wirebird;

// --- in ---

class Order {
 public:
  explicit Order(std::string_view line) : value_(*JsonValue::parse(line)) {}
  std::string text(std::string_view name) const {
    const auto found = value_.find(name);
    return found ? found->string().value_or("") : "";
  }
  bool flag(std::string_view name) const {
    const auto found = value_.find(name);
    return found && found->boolean().value_or(false);
  }
  std::int64_t number(std::string_view name, std::int64_t otherwise = 0) const {
    const auto found = value_.find(name);
    return found ? found->integer().value_or(otherwise) : otherwise;
  }
  // Each gives one: tokens for get_token.
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> texts;
    if (const auto found = value_.find(name)) {
      codec::JsonElements elements(*found);
      while (const auto element = elements.next()) texts.push_back(element->string().value_or(""));
    }
    return texts;
  }
  std::optional<StreamPosition> position(std::string_view name) const {
    const auto found = value_.find(name);
    if (!found) return std::nullopt;
    return StreamPosition{found->find("offset")->unsigned_integer().value(), found->find("epoch")->string().value()};
  }

 private:
  JsonValue value_;
};

// --- out ---

class Line {
 public:
  explicit Line(std::string_view event) : json_(text_) {
    json_.begin_object();
    add("event", event);
  }
  ~Line() {
    json_.end_object();
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::cout << text_ << std::endl;
  }
  Line& add(std::string_view name, std::string_view text) {
    json_.key(name).string(text);
    return *this;
  }
  Line& number(std::string_view name, std::uint64_t number) {
    json_.key(name).number(number);
    return *this;
  }
  Line& flag(std::string_view name, bool flag) {
    json_.key(name).boolean(flag ? JsonWriter::Truth::yes : JsonWriter::Truth::no);
    return *this;
  }
  Line& publication(const Publication& publication) {
    add("data", publication.data).number("offset", publication.offset);
    if (publication.info) add("user", publication.info->user);
    json_.key("tags").begin_object();
    for (const auto& [key, value] : publication.tags) json_.key(key).string(value);
    json_.end_object();
    return *this;
  }
  Line& error(const Error& error) { return number("code", error.code).add("message", error.message); }
  JsonWriter& json() { return json_; }

 private:
  std::string text_;
  JsonWriter json_;
};

GetToken source(std::vector<std::string> tokens) {
  if (tokens.empty()) return nullptr;
  auto rest = std::make_shared<std::vector<std::string>>(tokens.rbegin(), tokens.rend());
  return [rest](const TokenAnswer& answer) {
    Line("get_token");
    if (rest->empty()) return answer.unauthorized();
    answer.token(rest->back());
    rest->pop_back();
  };
}

void watch(Client& client) {
  client.on_connecting([](const ConnectingEvent& e) { Line("connecting").number("code", e.code); });
  client.on_connected([](const ConnectedEvent& e) {
    Line("connected").add("client", e.client).add("version", e.version).add("data", e.data);
  });
  client.on_disconnected(
      [](const DisconnectedEvent& e) { Line("disconnected").number("code", e.code).add("reason", e.reason); });
  client.on_error([](const Error& e) { Line("error").error(e); });
  client.on_message([](const MessageEvent& e) { Line("message").add("data", e.data); });
  client.on_server_subscribed([](const ServerSubscribedEvent& e) {
    Line("server_subscribed").add("channel", e.channel).flag("recovered", e.subscribed.recovered);
  });
  client.on_server_unsubscribed(
      [](const ServerUnsubscribedEvent& e) { Line("server_unsubscribed").add("channel", e.channel); });
  client.on_server_publication([](const ServerPublicationEvent& e) {
    Line("server_publication").add("channel", e.channel).publication(e.publication);
  });
}

void watch(Subscription& subscription) {
  const std::string channel = subscription.channel();
  const auto line = [channel](std::string_view event) { return std::make_unique<Line>(event); };
  subscription.on_subscribing(
      [=](const SubscribingEvent& e) { line("subscribing")->add("channel", channel).number("code", e.code); });
  subscription.on_subscribed([=](const SubscribedEvent& e) {
    const auto made = line("subscribed");
    made->add("channel", channel).flag("was_recovering", e.was_recovering).flag("recovered", e.recovered);
    made->flag("recoverable", e.recoverable).flag("positioned", e.positioned);
    if (e.position) made->number("offset", e.position->offset).add("epoch", e.position->epoch);
  });
  subscription.on_unsubscribed([=](const UnsubscribedEvent& e) {
    line("unsubscribed")->add("channel", channel).number("code", e.code).add("reason", e.reason);
  });
  subscription.on_publication(
      [=](const Publication& e) { line("publication")->add("channel", channel).publication(e); });
  subscription.on_join([=](const JoinEvent& e) { line("join")->add("channel", channel).add("user", e.info.user); });
  subscription.on_leave([=](const LeaveEvent& e) { line("leave")->add("channel", channel).add("user", e.info.user); });
  subscription.on_error([=](const Error& e) { line("subscription_error")->add("channel", channel).error(e); });
}

// The line of an answer: its number, and what is in it.
template <typename T, typename Write>
Callback<T> answered(std::int64_t number, Write write) {
  return [=](const Result<T>& result) {
    Line line("answer");
    line.number("n", static_cast<std::uint64_t>(number));
    if (result) {
      write(line, *result);
    } else {
      line.error(result.error());
    }
  };
}

class Puppet {
 public:
  void obey(const Order& order) {
    const std::string what = order.text("do");
    if (what == "open") return open(order);
    if (what == "connect") return client_->connect();
    if (what == "disconnect") return client_->disconnect();
    if (what == "destroy") return client_.reset();
    if (what == "subscribe") return subscribe(order);
    if (what == "unsubscribe") return client_->subscription(order.text("channel"))->unsubscribe();
    call(what, order);
  }

 private:
  void open(const Order& order) {
    ClientOptions options;
    if (order.text("format") == "protobuf") options.format = Format::protobuf;
    if (order.flag("compression")) options.compression = ClientOptions::Compression::offered;
    options.token = order.text("token");
    options.get_token = source(order.texts("tokens"));
    options.data = order.text("data");
    options.tls_ca_file = order.text("ca");
    options.reconnect_delay_min = std::chrono::milliseconds(10);
    options.reconnect_delay_max = std::chrono::milliseconds(100);
    auto made = Client::create(order.text("url"), options);
    if (!made) {
      Line("bad_configuration").error(made.error());
      return;
    }
    client_ = std::move(*made);
    watch(*client_);
  }

  void subscribe(const Order& order) {
    SubscriptionOptions options;
    options.token = order.text("token");
    options.get_token = source(order.texts("tokens"));
    options.recoverable = order.flag("recoverable");
    options.positioned = order.flag("positioned");
    options.join_leave = order.flag("join_leave");
    options.since = order.position("since");
    if (order.flag("delta")) options.delta = SubscriptionOptions::Delta::fossil;
    if (!order.text("tag").empty()) options.tags_filter = TagsFilter::equal(order.text("tag"), order.text("value"));
    auto subscription = client_->subscription(order.text("channel"));
    if (subscription == nullptr) {
      subscription = *client_->new_subscription(order.text("channel"), options);
      watch(*subscription);
    }
    subscription->subscribe();
  }

  void call(const std::string& what, const Order& order) {
    const std::string channel = order.text("channel");
    const std::int64_t n = order.number("n");
    if (what == "publish") {
      client_->publish(channel, order.text("data"), answered<PublishResult>(n, [](Line&, const PublishResult&) {}));
    } else if (what == "rpc") {
      client_->rpc(order.text("method"), order.text("data"),
                   answered<RpcResult>(n, [](Line& line, const RpcResult& result) { line.add("data", result.data); }));
    } else if (what == "send") {
      client_->send(order.text("data"), answered<SendResult>(n, [](Line&, const SendResult&) {}));
    } else if (what == "history") {
      HistoryOptions options;
      options.limit = static_cast<std::int32_t>(order.number("limit"));
      options.since = order.position("since");
      if (order.flag("reverse")) options.order = HistoryOptions::Order::newest_first;
      client_->history(channel, options, answered<HistoryResult>(n, [](Line& line, const HistoryResult& result) {
                         line.number("offset", result.position.offset).add("epoch", result.position.epoch);
                         JsonWriter& json = line.json().key("publications").begin_array();
                         for (const Publication& each : result.publications) json.string(each.data);
                         json.end_array();
                       }));
    } else if (what == "presence") {
      client_->presence(channel, answered<PresenceResult>(n, [](Line& line, const PresenceResult& result) {
                          JsonWriter& json = line.json().key("users").begin_array();
                          for (const auto& [client, info] : result.clients) json.string(info.user);
                          json.end_array();
                        }));
    } else if (what == "presence_stats") {
      client_->presence_stats(channel,
                              answered<PresenceStatsResult>(n, [](Line& line, const PresenceStatsResult& result) {
                                line.number("clients", result.num_clients).number("users", result.num_users);
                              }));
    }
  }

  std::unique_ptr<Client> client_;
};

}  // namespace

int main() {
  Puppet puppet;
  std::string line;
  while (std::getline(std::cin, line)) puppet.obey(Order(line));
}
