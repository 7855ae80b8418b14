// Sends requests with libcurl, all of them on one thread that `app` lends: run() returns after stop(). Connections are
// kept alive and shared by requests with the same rules. Names are resolved on libcurl's own short-lived threads, so
// that a slow one holds up nobody else.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "egress/egress.h"
#include "egress/transfer.h"
#include "http/egress_guard.h"

namespace egress {

class CurlClient final : public Client {
 public:
  // Requests on their way; more are refused as busy.
  static constexpr std::size_t kInFlightMax = 2048;

  CurlClient();
  ~CurlClient() override;  // run() has returned
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  // Where this server listens: requests to itself are refused. Before run().
  void set_own_listeners(std::vector<http::OwnListener> own) { own_ = std::move(own); }

  bool submit(Request request, Inbox& inbox, Ticket ticket) override;

  // What is on its way when it stops is answered with Failure::stopped.
  void run();
  void stop();  // any thread

 private:
  struct Submitted {
    Request request;
    Inbox* inbox;
    Ticket ticket;
  };

  void start_submitted();
  void start(Submitted submitted);
  void take_finished();
  void abandon_all();

  CURLM* multi_;
  std::vector<http::OwnListener> own_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> in_flight_{0};
  std::mutex mutex_;
  std::vector<Submitted> submitted_;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers_;  // of run()'s thread
};

}  // namespace egress
