#include "http/response_reader.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "sim/many_ways.h"

namespace http {
namespace {

using Status = ResponseReader::Status;

std::string read_one(std::span<const std::string_view> pieces, AnswerTo answer_to, const ResponseLimits& limits) {
  ResponseReader reader(limits, answer_to);
  std::string seen;
  std::string left;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && reader.status() != Status::failed) {
      const std::size_t consumed = reader.receive(piece);
      piece.remove_prefix(consumed);
      if (reader.status() == Status::head_done) seen += "head ";
      if (reader.status() == Status::done) {
        left += piece;
        break;
      }
    }
  }
  reader.receive_eof();
  if (reader.status() == Status::failed) return seen + "failed " + std::string(base::to_string(reader.error()));
  EXPECT_EQ(reader.status(), Status::done);
  seen += std::to_string(reader.response().status) + " body=" + std::string(reader.body());
  if (reader.response().keep_alive) seen += " keep-alive";
  return seen + (left.empty() ? "" : " left=" + left);
}

std::string read_many_ways(std::string_view input, AnswerTo answer_to = AnswerTo::other,
                           const ResponseLimits& limits = {}) {
  return sim::many_ways(input, 2,
                        [&](std::span<const std::string_view> pieces) { return read_one(pieces, answer_to, limits); });
}

TEST(ResponseReader, EveryWayToEndABody) {
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP"),
            "head 200 body=hi keep-alive left=HTTP");
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nx"), "200 body= keep-alive left=x");
  EXPECT_EQ(read_many_ways("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nx"),
            "head 404 body=hi keep-alive left=x");
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 OK\r\n\r\nto the end"), "head 200 body=to the end");
  EXPECT_EQ(read_many_ways("HTTP/1.0 200\r\n\r\n"), "head 200 body=");
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"), "head 200 body=a");
}

TEST(ResponseReader, AnswersWithoutABody) {
  EXPECT_EQ(read_many_ways("HTTP/1.1 204 No Content\r\n\r\nx"), "204 body= keep-alive left=x");
  EXPECT_EQ(read_many_ways("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nx"), "304 body= keep-alive left=x");
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", AnswerTo::head), "200 body= keep-alive");
  EXPECT_EQ(read_many_ways("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81"),
            "101 body= keep-alive left=\x81");
}

TEST(ResponseReader, InterimAnswersAreReadOver) {
  EXPECT_EQ(read_many_ways("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"),
            "head 200 body=a keep-alive");
  std::string flood;
  for (int i = 0; i < 9; ++i) flood += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(read_many_ways(flood), "failed E_BAD_REQUEST");
}

TEST(ResponseReader, InvalidInput) {
  for (const char* input :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n", "HTTP/1.1200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "\x16\x03\x01"}) {
    SCOPED_TRACE(input);
    const std::string seen = read_many_ways(input);
    EXPECT_TRUE(seen.ends_with("failed E_BAD_REQUEST")) << seen;
  }
  EXPECT_EQ(read_many_ways("HTTP/2.0 200 OK\r\n\r\n"), "failed E_HTTP_VERSION");
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 " + std::string(17'000, 'a')), "failed E_HEADERS_TOO_LARGE");
}

TEST(ResponseReader, TheBodyHasALimit) {
  const ResponseLimits limits{.body_bytes_max = 3};
  EXPECT_EQ(read_many_ways("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", AnswerTo::other, limits),
            "head 200 body=abc keep-alive");
  for (const char* input : {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nabcd",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n"}) {
    EXPECT_TRUE(read_many_ways(input, AnswerTo::other, limits).ends_with("failed E_MESSAGE_TOO_BIG")) << input;
  }
}

TEST(ResponseReader, AnEndlessBodyIsReadByDropping) {
  const ResponseLimits limits{.body_bytes_max = 8};
  ResponseReader reader(limits);
  reader.receive("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  std::string seen;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(reader.receive("data: x\n"), 8U);
    seen += reader.body();
    reader.drop_body();
  }
  EXPECT_EQ(seen.size(), 800U);
  reader.receive_eof();
  EXPECT_EQ(reader.status(), Status::done);
}

TEST(ResponseReader, IsReusedForTheNextResponse) {
  const ResponseLimits limits;
  ResponseReader reader(limits);
  for (int i = 0; i < 3; ++i) {
    std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    while (reader.status() != Status::done) bytes.remove_prefix(reader.receive(bytes));
    EXPECT_EQ(reader.body(), "hi");
    reader.reset();
  }
}

}  // namespace
}  // namespace http
