// A client of the Centrifuge protocol v2 over WebSocket: connects, stays connected, subscribes to channels, publishes,
// calls. Works with Wirebird and with every other server of that protocol.
//
//   auto client = wirebird::Client::create("wss://example.com/connection/websocket", {});
//   if (!client) die(client.error().message);
//   auto news = *(*client)->new_subscription("news");
//   news->on_publication([](const wirebird::Publication& publication) { use(publication.data); });
//   news->subscribe();
//   (*client)->connect();
//
// States: disconnected -> connecting -> connected; a cut leads back to connecting, with waits that grow and a random
// part; disconnect(), a final refusal and get_token's `unauthorized` lead to disconnected, where it stays until
// connect() is called again.
//
// Threads: a Client has one thread of its own, for its sockets. Every function may be called from any thread, also
// inside callbacks, returns at once and takes effect in the order of the calls. Callbacks run one after the other, on
// the client's thread or where ClientOptions::executor takes them; they must not throw. On the client's thread they
// must not block for long either: while one runs, nothing is read and no ping is answered. So do not wait there for a
// future of the same client: it would never come. Futures are completed on the client's thread, never by the executor.
//
// Lifetime: destroying a Client ends its thread and connection, completes every call with ErrorCode::client_closed,
// and waits for that; afterwards no callback runs on the client's thread. It may be done on any thread, also inside a
// callback: there it does not wait, no other callback follows, and the thread ends once that callback has returned.
// What an executor was given before it still has to run. Looking up a server's name cannot be interrupted, so the
// destructor may wait for the resolver.
//
// Sockets are never inherited by programs that are started, and no signal is raised by a cut connection (SIGPIPE).
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>

#include "wirebird/api.h"
#include "wirebird/codes.h"
#include "wirebird/options.h"
#include "wirebird/result.h"
#include "wirebird/subscription.h"
#include "wirebird/values.h"

namespace wirebird {

class WIREBIRD_API Client {
 public:
  // `url`: ws:// or wss:// (http:// and https:// mean the same), host, port, path and query; also
  // unix:/path/to.sock:/path. Checks it and the certificate file (bad_configuration); connects only with connect().
  static Result<std::unique_ptr<Client>> create(std::string url, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  ClientState state() const;  // as of the newest event

  void connect();
  void disconnect();
  // From the next connect on. False: it is not UTF-8, or not JSON where it has to be; nothing has changed.
  bool set_token(std::string token);
  bool set_data(std::string data);

  void on_connecting(std::function<void(const ConnectingEvent&)> callback);
  void on_connected(std::function<void(const ConnectedEvent&)> callback);
  void on_disconnected(std::function<void(const DisconnectedEvent&)> callback);
  void on_message(std::function<void(const MessageEvent&)> callback);
  // What went wrong and will be tried again; for a log.
  void on_error(std::function<void(const Error&)> callback);
  // Subscriptions that the server makes.
  void on_server_subscribing(std::function<void(const ServerSubscribingEvent&)> callback);
  void on_server_subscribed(std::function<void(const ServerSubscribedEvent&)> callback);
  void on_server_unsubscribed(std::function<void(const ServerUnsubscribedEvent&)> callback);
  void on_server_publication(std::function<void(const ServerPublicationEvent&)> callback);
  void on_server_join(std::function<void(const ServerJoinEvent&)> callback);
  void on_server_leave(std::function<void(const ServerLeaveEvent&)> callback);

  // One per channel (bad_configuration). The client keeps it until remove_subscription().
  Result<std::shared_ptr<Subscription>> new_subscription(std::string channel, SubscriptionOptions options = {});
  std::shared_ptr<Subscription> subscription(const std::string& channel) const;  // null: there is none
  void remove_subscription(const std::shared_ptr<Subscription>& subscription);   // unsubscribes first

  // Calls wait for the connection while the client is connecting, at most ClientOptions::timeout. What is called from
  // one callback, or close after each other, travels in one frame. A call that cannot even begin (bad_argument,
  // queue_full, client_closed) ends at once: without an executor its callback runs inside the call.
  void publish(std::string channel, std::string data, Callback<PublishResult> done);
  std::future<Result<PublishResult>> publish(std::string channel, std::string data);
  void rpc(std::string method, std::string data, Callback<RpcResult> done);
  std::future<Result<RpcResult>> rpc(std::string method, std::string data);
  void history(std::string channel, HistoryOptions options, Callback<HistoryResult> done);
  std::future<Result<HistoryResult>> history(std::string channel, HistoryOptions options = {});
  void presence(std::string channel, Callback<PresenceResult> done);
  std::future<Result<PresenceResult>> presence(std::string channel);
  void presence_stats(std::string channel, Callback<PresenceStatsResult> done);
  std::future<Result<PresenceStatsResult>> presence_stats(std::string channel);
  // To the server's application, without an answer.
  void send(std::string data, Callback<SendResult> done);
  std::future<Result<SendResult>> send(std::string data);

 private:
  explicit Client(std::shared_ptr<inside::Runner> runner);

  std::shared_ptr<inside::Runner> runner_;
};

}  // namespace wirebird
