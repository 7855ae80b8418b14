#include "http/cors.h"

#include <gtest/gtest.h>

#include <string>

#include "http/request_reader.h"

namespace http {
namespace {

bool preflight(std::string_view method, std::string_view headers) {
  const RequestLimits limits;
  RequestReader reader(limits);
  reader.receive(std::string(method) + " /pub/a HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n");
  EXPECT_EQ(reader.status(), RequestReader::Status::done);
  return is_preflight(reader.request());
}

TEST(Cors, KnowsAPreflight) {
  EXPECT_TRUE(preflight("OPTIONS", "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"));
  EXPECT_FALSE(preflight("OPTIONS", "Access-Control-Request-Method: POST\r\n"));
  EXPECT_FALSE(preflight("OPTIONS", "Origin: https://a.example\r\n"));
  EXPECT_FALSE(preflight("GET", "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"));
}

TEST(Cors, AnswersAPreflight) {
  std::string out;
  append_preflight_answer(out, "https://a.example", "GET, POST", Connection::keep_alive);
  EXPECT_EQ(
      out,
      "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n"
      "Access-Control-Allow-Origin: https://a.example\r\nAccess-Control-Expose-Headers: Retry-After\r\nVary: Origin\r\n"
      "Access-Control-Allow-Methods: GET, POST\r\n"
      "Access-Control-Allow-Headers: Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-API-Key\r\n"
      "Access-Control-Max-Age: 600\r\n\r\n");
}

TEST(Cors, FieldsOnlyForOtherOrigins) {
  EXPECT_TRUE(cors_fields("").empty());
  EXPECT_EQ(cors_fields("https://a.example").size(), 3U);
  EXPECT_EQ(cors_fields("*").size(), 2U);  // the answer is the same for all: no Vary
}

}  // namespace
}  // namespace http
