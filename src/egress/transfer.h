// One request on its way, as a handle of libcurl: what it may do is set here and nowhere else. Redirects, proxies of
// the environment, cookies, .netrc, content encodings and every protocol but HTTP are off; each address is judged by
// the guard in the moment in which its socket would be made, so a name may resolve to what it likes.
//
// Used on the client's thread.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "egress/egress.h"
#include "http/egress_guard.h"

namespace egress {

class Transfer {
 public:
  // `own` must outlive it. The URL has been read and is what the request names.
  Transfer(Request request, const http::EgressUrl& url, std::span<const http::OwnListener> own, Inbox& inbox,
           Ticket ticket);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const { return handle_; }
  static Transfer& of(CURL* handle);

  // Libcurl is done with it.
  void finish(CURLcode result);
  // It never came to a result.
  void abandon(Failure failure, std::string detail);

 private:
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* self);

  void add_headers();
  Failure failure_of(CURLcode result) const;

  Request request_;
  std::span<const http::OwnListener> own_;
  Inbox& inbox_;
  Ticket ticket_;
  CURL* handle_;
  curl_slist* headers_ = nullptr;
  Response response_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  http::EgressDenial denial_ = http::EgressDenial::none;  // the first
  char error_[CURL_ERROR_SIZE] = {};                      // libcurl writes into it
};

}  // namespace egress
