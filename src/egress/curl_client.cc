#include "egress/curl_client.h"

#include <utility>

#include "base/assert.h"

namespace egress {
namespace {

constexpr long kConnectionsPerHostMax = 256;
constexpr long kIdleConnectionsMax = 256;
constexpr int kPollMsMax = 60'000;  // submit() and stop() wake it; libcurl's own deadlines come first

}  // namespace

CurlClient::CurlClient() {
  ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  multi_ = curl_multi_init();
  ASSERT(multi_ != nullptr);
  ASSERT(curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, kConnectionsPerHostMax) == CURLM_OK);
  ASSERT(curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnectionsMax) == CURLM_OK);
}

CurlClient::~CurlClient() {
  ASSERT(transfers_.empty());
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

bool CurlClient::submit(Request request, Inbox& inbox, Ticket ticket) {
  if (stopping_.load(std::memory_order_acquire)) return false;
  if (in_flight_.fetch_add(1) >= kInFlightMax) {
    in_flight_.fetch_sub(1);
    return false;
  }
  {
    const std::lock_guard lock(mutex_);
    submitted_.push_back({std::move(request), &inbox, ticket});
  }
  curl_multi_wakeup(multi_);
  return true;
}

void CurlClient::run() {
  while (!stopping_.load(std::memory_order_acquire)) {
    start_submitted();
    int running = 0;
    curl_multi_perform(multi_, &running);
    take_finished();
    curl_multi_poll(multi_, nullptr, 0, kPollMsMax, nullptr);
  }
  abandon_all();
}

void CurlClient::stop() {
  stopping_.store(true, std::memory_order_release);
  curl_multi_wakeup(multi_);
}

void CurlClient::start_submitted() {
  std::vector<Submitted> submitted;
  {
    const std::lock_guard lock(mutex_);
    submitted.swap(submitted_);
  }
  for (Submitted& each : submitted) start(std::move(each));
}

void CurlClient::start(Submitted submitted) {
  const auto url = http::parse_egress_url(submitted.request.url);
  if (!url) {
    in_flight_.fetch_sub(1);
    submitted.inbox->put(
        {submitted.ticket,
         {.failure = Failure::denied, .body = {}, .detail = "the URL " + std::string(to_string(url.error()))}});
    return;
  }
  auto transfer =
      std::make_unique<Transfer>(std::move(submitted.request), *url, own_, *submitted.inbox, submitted.ticket);
  CURL* const handle = transfer->handle();
  ASSERT(curl_multi_add_handle(multi_, handle) == CURLM_OK);
  transfers_.emplace(handle, std::move(transfer));
}

void CurlClient::take_finished() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode result = message->data.result;  // the message is gone once the handle is taken out
    Transfer::of(handle).finish(result);
    curl_multi_remove_handle(multi_, handle);
    transfers_.erase(handle);
    in_flight_.fetch_sub(1);
  }
}

void CurlClient::abandon_all() {
  for (auto& [handle, transfer] : transfers_) {
    transfer->abandon(Failure::stopped, "the server ends");
    curl_multi_remove_handle(multi_, handle);
  }
  transfers_.clear();
  const std::lock_guard lock(mutex_);
  for (const Submitted& each : submitted_) {
    each.inbox->put({each.ticket, {.failure = Failure::stopped, .body = {}, .detail = "the server ends"}});
  }
  submitted_.clear();
}

}  // namespace egress
