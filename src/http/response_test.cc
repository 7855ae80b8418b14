#include "http/response.h"

#include <gtest/gtest.h>

#include <string>

#include "http/response_reader.h"

namespace http {
namespace {

// What we write is read back by our own strict reader (T42).
void expect_one_response(std::string_view bytes, std::uint16_t status, std::string_view body) {
  const ResponseLimits limits;
  ResponseReader reader(limits);
  std::size_t consumed = 0;
  while (consumed < bytes.size() && reader.status() != ResponseReader::Status::failed &&
         reader.status() != ResponseReader::Status::done) {
    consumed += reader.receive(bytes.substr(consumed));
  }
  ASSERT_EQ(reader.status(), ResponseReader::Status::done);
  EXPECT_EQ(consumed, bytes.size());
  EXPECT_EQ(reader.response().status, status);
  EXPECT_EQ(reader.body(), body);
}

TEST(Response, HeadAndBody) {
  std::string out = "before";
  const Field extra[] = {{"X-A", "b"}};
  append_response(out, 200, "text/plain", "hello", Connection::keep_alive, extra);
  EXPECT_EQ(
      out,
      "beforeHTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nX-A: b\r\n"
      "\r\nhello");
}

TEST(Response, HeadsWithoutLength) {
  std::string out;
  append_head(out, 204, {}, Connection::close, Body::none);
  EXPECT_EQ(out, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(Response, ContinueIsReadOver) {
  std::string out;
  append_continue(out);
  append_response(out, 200, "text/plain", "hello", Connection::keep_alive);
  expect_one_response(out, 200, "hello");
}

TEST(Response, AStatusWithoutAPhrase) { EXPECT_EQ(reason_phrase(299), "Unknown"); }

TEST(Response, Chunks) {
  std::string out;
  append_head(out, 200, {}, Connection::keep_alive, Body::chunked);
  append_chunk(out, std::string(26, 'x'));
  append_chunk(out, "\r\n");
  append_last_chunk(out);
  EXPECT_TRUE(out.ends_with("\r\n\r\n1a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n2\r\n\r\n\r\n0\r\n\r\n"));
  expect_one_response(out, 200, std::string(26, 'x') + "\r\n");
}

TEST(Response, EveryErrorIsAResponse) {
  for (const base::ErrorEntry& entry : base::all_errors()) {
    SCOPED_TRACE(entry.code);
    EXPECT_NE(reason_phrase(entry.http_status), "Unknown");
    std::string json;
    append_error_json(json, entry.error);
    EXPECT_EQ(json, "{\"code\":\"" + std::string(entry.code) + "\",\"message\":\"" + std::string(entry.text) + "\"}");
    std::string out;
    append_error(out, entry.error, Connection::close);
    expect_one_response(out, entry.http_status, json);
  }
}

TEST(Response, AnErrorEscapesItsHintAndNamesItsRetry) {
  std::string out;
  append_error(out, base::Error::rate, Connection::keep_alive, "Channel \"a\r\nX: y\".", 7);
  EXPECT_NE(out.find("\r\nRetry-After: 7\r\n"), std::string::npos);
  expect_one_response(
      out, 429,
      R"({"code":"E_RATE","message":"Too many requests; try again later. Channel \"a\r\nX: y\".","retry_after":7})");
}

TEST(Response, ErrorsThatNeedAHeader) {
  std::string out;
  append_error(out, base::Error::token_missing, Connection::close);
  EXPECT_NE(out.find("\r\nWWW-Authenticate: Bearer\r\n"), std::string::npos);
  out.clear();
  append_error(out, base::Error::upgrade_required, Connection::close);
  EXPECT_NE(out.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_NE(out.find("\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"), std::string::npos);
}

TEST(ResponseDeathTest, AHeaderValueWithALineEndIsOurBug) {
  std::string out;
  for (const std::string& value :
       {std::string("a\r\nb"), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7f")}) {
    const Field field[] = {{"X", value}};
    EXPECT_DEATH(append_head(out, 200, field, Connection::close, Body::none), "assertion failed");
  }
  const Field name[] = {{"X Y", "a"}};
  EXPECT_DEATH(append_head(out, 200, name, Connection::close, Body::none), "assertion failed");
}

TEST(Date, StandsBehindTheStatusLine) {
  std::string out;
  append_response(out, 200, "text/plain", "a\r\n\r\nb", Connection::close);
  insert_date(out, "Thu, 20 Nov 2025 12:38:00 GMT");
  EXPECT_TRUE(out.starts_with("HTTP/1.1 200 OK\r\nDate: Thu, 20 Nov 2025 12:38:00 GMT\r\nConnection: close\r\n"))
      << out;
  EXPECT_TRUE(out.ends_with("\r\n\r\na\r\n\r\nb"));
}

}  // namespace
}  // namespace http
