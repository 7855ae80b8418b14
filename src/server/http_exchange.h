// The request that a connection is busy with. Exists from a request's first byte until its answer is queued.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "http/request_reader.h"
#include "http/response.h"

namespace server {

struct HttpExchange {
  explicit HttpExchange(const http::RequestLimits& limits) : reader(limits) {}

  enum class Waiting : std::uint8_t { nothing, publish, api, poll, emulation };

  http::RequestReader reader;
  std::string rest;  // bytes that came after the request; handled once it is answered
  Waiting waiting = Waiting::nothing;
  http::Connection connection = http::Connection::keep_alive;
  bool head_only = false;    // HEAD: the body is left out
  bool identified = false;   // who publishes was found out before the body was read
  bool body_unread = false;  // the request is answered without its body
  std::string allow_origin;  // for the CORS header of the answer; empty: none
  std::string channel;       // publish: of the answer
};

}  // namespace server
