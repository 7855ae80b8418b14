#include "egress/transfer.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "base/assert.h"
#include "loop/endpoint.h"

namespace egress {
namespace {

constexpr std::size_t kHeaderBytesMax = 64 * 1024;

// The options are constants and the handle is good, so only a lack of memory makes this fail.
template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
  ASSERT(curl_easy_setopt(handle, option, value) == CURLE_OK);
}

long milliseconds(base::Duration duration) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

}  // namespace

Transfer::Transfer(Request request, const http::EgressUrl& url, std::span<const http::OwnListener> own, Inbox& inbox,
                   Ticket ticket)
    : request_(std::move(request)), own_(own), inbox_(inbox), ticket_(ticket), handle_(curl_easy_init()) {
  ASSERT(handle_ != nullptr);
  set(handle_, CURLOPT_PRIVATE, this);
  set(handle_, CURLOPT_ERRORBUFFER, error_);
  set(handle_, CURLOPT_URL, url.text().c_str());  // as the guard read it, not as somebody wrote it
  set(handle_, CURLOPT_PATH_AS_IS, 1L);
  set(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle_, CURLOPT_FOLLOWLOCATION, 0L);
  set(handle_, CURLOPT_PROXY, "");
  set(handle_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(handle_, CURLOPT_NOSIGNAL, 1L);
  set(handle_, CURLOPT_QUICK_EXIT, 1L);  // a resolver that hangs is left to itself when the time is up
  set(handle_, CURLOPT_TIMEOUT_MS, milliseconds(request_.timeout));
  set(handle_, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request_.timeout));
  set(handle_, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.response_bytes_max));
  set(handle_, CURLOPT_USERAGENT, "wirebird");
  set(handle_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
  set(handle_, CURLOPT_OPENSOCKETDATA, this);
  set(handle_, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  set(handle_, CURLOPT_WRITEDATA, this);
  set(handle_, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  set(handle_, CURLOPT_HEADERDATA, this);
  if (request_.method == Request::Method::post) {
    set(handle_, CURLOPT_POST, 1L);
    set(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(handle_, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  // A connection that is kept was judged by the rules of whoever opened it. Those with other rules do not share it.
  if (request_.reach == Reach::public_only) {
    set(handle_, CURLOPT_FRESH_CONNECT, 1L);
    set(handle_, CURLOPT_FORBID_REUSE, 1L);
  }
  add_headers();
}

Transfer::~Transfer() {
  curl_easy_cleanup(handle_);
  curl_slist_free_all(headers_);
}

void Transfer::add_headers() {
  const auto add = [&](const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers_, line.c_str());
    ASSERT(longer != nullptr);
    headers_ = longer;
  };
  add("Expect:");  // no waiting for 100 Continue
  for (const Header& header : request_.headers) {
    // libcurl's way to say that the value is empty.
    add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  set(handle_, CURLOPT_HTTPHEADER, headers_);
}

Transfer& Transfer::of(CURL* handle) {
  void* self = nullptr;
  ASSERT(curl_easy_getinfo(handle, CURLINFO_PRIVATE, &self) == CURLE_OK && self != nullptr);
  return *static_cast<Transfer*>(self);
}

curl_socket_t Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  loop::Endpoint endpoint;
  const bool internet = address->family == AF_INET || address->family == AF_INET6;
  http::EgressDenial denial = http::EgressDenial::reserved;
  if (internet && address->addrlen <= sizeof endpoint.storage) {
    std::memcpy(&endpoint.storage, &address->addr, address->addrlen);
    endpoint.size = address->addrlen;
    const loop::Address judged = loop::to_address(endpoint);
    http::EgressRules rules{.private_too = transfer.request_.reach == Reach::private_too, .own = transfer.own_};
    if (!rules.private_too) rules.ports = http::kWebPorts;
    denial = http::check_egress(judged.ip, judged.port, rules);
  }
  if (denial != http::EgressDenial::none) {
    if (transfer.denial_ == http::EgressDenial::none) transfer.denial_ = denial;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t Transfer::take_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  const std::size_t length = size * count;
  if (length > transfer.request_.response_bytes_max - transfer.response_.body.size()) {
    transfer.too_large_ = true;
    return CURL_WRITEFUNC_ERROR;
  }
  transfer.response_.body.append(bytes, length);
  return length;
}

std::size_t Transfer::take_header(char*, std::size_t size, std::size_t count, void* self) {
  Transfer& transfer = *static_cast<Transfer*>(self);
  transfer.header_bytes_ += size * count;
  if (transfer.header_bytes_ <= kHeaderBytesMax) return size * count;
  transfer.too_large_ = true;
  return CURL_WRITEFUNC_ERROR;
}

Failure Transfer::failure_of(CURLcode result) const {
  if (too_large_ || result == CURLE_FILESIZE_EXCEEDED) return Failure::too_large;
  switch (result) {
    case CURLE_OK:
      return Failure::none;
    case CURLE_OPERATION_TIMEDOUT:
      return Failure::timeout;
    case CURLE_COULDNT_RESOLVE_HOST:
      return Failure::unresolved;
    case CURLE_COULDNT_CONNECT:
      return denial_ == http::EgressDenial::none ? Failure::unreachable : Failure::denied;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return Failure::unreachable;
    default:
      return Failure::broken;
  }
}

void Transfer::finish(CURLcode result) {
  curl_off_t us = 0;
  if (curl_easy_getinfo(handle_, CURLINFO_TOTAL_TIME_T, &us) == CURLE_OK) {
    response_.took = std::chrono::microseconds(us);
  }
  const Failure failure = failure_of(result);
  if (failure == Failure::denied) return abandon(failure, "the host " + std::string(to_string(denial_)));
  if (failure != Failure::none) {
    return abandon(failure, error_[0] != '\0' ? error_ : curl_easy_strerror(result));
  }
  long status = 0;
  ASSERT(curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK);
  response_.status = static_cast<std::uint16_t>(status);
  inbox_.put({ticket_, std::move(response_)});
}

void Transfer::abandon(Failure failure, std::string detail) {
  inbox_.put({ticket_, {.failure = failure, .body = {}, .detail = std::move(detail), .took = response_.took}});
}

}  // namespace egress
