#include "http/static_file.h"

#include <gtest/gtest.h>

#include <string>

#include "http/request_reader.h"
#include "http/response_reader.h"

namespace http {
namespace {

constexpr StaticFile kPage{.content_type = "text/html; charset=utf-8",
                           .etag = "\"abc\"",
                           .bytes = "<p>plain",
                           .gzip = "GZIP",
                           .cache_control = "no-cache",
                           .content_security_policy = "default-src 'self'; frame-ancestors 'none'"};

struct Answer {
  std::uint16_t status;
  std::string body;
  std::string text;
};

Answer answer(std::string_view headers, const StaticFile& file = kPage, std::string_view method = "GET") {
  const RequestLimits limits;
  RequestReader request(limits);
  request.receive(std::string(method) + " / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n");
  std::string out;
  append_static_file(out, request.request(), file, Connection::keep_alive);
  const ResponseLimits response_limits;
  ResponseReader reader(response_limits, method == "HEAD" ? AnswerTo::head : AnswerTo::other);
  std::size_t consumed = reader.receive(out);
  consumed += reader.receive(std::string_view(out).substr(consumed));
  EXPECT_EQ(reader.status(), ResponseReader::Status::done);
  EXPECT_EQ(consumed, out.size());
  return {reader.response().status, std::string(reader.body()), out};
}

bool has(const Answer& answer, std::string_view line) {
  return answer.text.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

TEST(StaticFile, PlainOrCompressed) {
  const Answer plain = answer("");
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.body, "<p>plain");
  EXPECT_TRUE(has(plain, "ETag: \"abc\""));
  EXPECT_TRUE(has(plain, "Vary: Accept-Encoding"));
  EXPECT_TRUE(has(plain, "Content-Type: text/html; charset=utf-8"));
  EXPECT_TRUE(has(plain, "Cache-Control: no-cache"));
  EXPECT_TRUE(has(plain, "X-Content-Type-Options: nosniff"));
  EXPECT_NE(plain.text.find("frame-ancestors 'none'"), std::string::npos);

  const Answer gzip = answer("Accept-Encoding: deflate, GZip;q=0.5\r\n");
  EXPECT_EQ(gzip.body, "GZIP");
  EXPECT_TRUE(has(gzip, "Content-Encoding: gzip"));
  EXPECT_TRUE(has(gzip, "ETag: \"abc-gzip\""));
}

TEST(StaticFile, Negotiation) {
  for (const char* value : {"gzip", "*", "br, *", "gzip;q=1.0", "gzip; q=0.001", "*;q=0, gzip", "gzip;x=0", "x-gzip"}) {
    EXPECT_EQ(answer("Accept-Encoding: " + std::string(value) + "\r\n").body, "GZIP") << value;
  }
  for (const char* value :
       {"", "br", "gzip;q=0", "gzip; q=0.000", "gzip;Q=0", "*, gzip;q=0", "*;q=0", "gzipx", "identity"}) {
    EXPECT_EQ(answer("Accept-Encoding: " + std::string(value) + "\r\n").body, "<p>plain") << value;
  }
  StaticFile only_plain = kPage;
  only_plain.gzip = {};
  EXPECT_EQ(answer("Accept-Encoding: gzip\r\n", only_plain).body, "<p>plain");
}

TEST(StaticFile, NotModified) {
  for (const char* value : {"\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"}) {
    const Answer same = answer("If-None-Match: " + std::string(value) + "\r\n");
    EXPECT_EQ(same.status, 304) << value;
    EXPECT_TRUE(has(same, "ETag: \"abc\""));
  }
  for (const char* value : {"", "abc", "\"abc", "\"abc-gzip\"", "w/\"abc\"", "\"ABC\""}) {
    EXPECT_EQ(answer("If-None-Match: " + std::string(value) + "\r\n").status, 200) << value;
  }
  EXPECT_EQ(answer("Accept-Encoding: gzip\r\nIf-None-Match: \"abc-gzip\"\r\n").status, 304);
}

TEST(StaticFile, HeadHasTheLengthAndNoBody) {
  const Answer head = answer("", kPage, "HEAD");
  EXPECT_TRUE(has(head, "Content-Length: 8"));
  EXPECT_TRUE(head.text.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace http
