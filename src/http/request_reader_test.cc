#include "http/request_reader.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>

#include "sim/many_ways.h"

namespace http {
namespace {

std::string describe(const Request& request) {
  std::string text;
  text.append(request.method).append(" target=").append(request.target).append(" path=").append(request.path);
  text.append(" query=").append(request.query).append(" host=").append(request.host);
  text += " 1." + std::to_string(request.minor_version);
  if (request.keep_alive) text += " keep-alive";
  if (request.expects_continue) text += " expects-continue";
  if (request.has_body) text += " has-body";
  for (const Header& header : request.headers)
    text.append(" [").append(header.name).append("|").append(header.value).append("]");
  return text;
}

// Reads every request of the input as an owner does and tells what it saw.
std::string read_all(std::span<const std::string_view> pieces, const RequestLimits& limits) {
  RequestReader reader(limits);
  std::string seen;
  for (std::string_view piece : pieces) {
    while (!piece.empty() && reader.status() != RequestReader::Status::failed) {
      piece.remove_prefix(reader.receive(piece));
      if (reader.status() == RequestReader::Status::head_done) seen += "head " + describe(reader.request()) + "\n";
      if (reader.status() == RequestReader::Status::failed) {
        seen.append("failed ").append(base::to_string(reader.error())).append("\n");
      }
      if (reader.status() == RequestReader::Status::done) {
        seen += "done " + describe(reader.request()) + " body=" + std::string(reader.request().body) + "\n";
        reader.reset();
      }
    }
  }
  return seen;
}

std::string read_many_ways(std::string_view input, const RequestLimits& limits = {}) {
  return sim::many_ways(input, 1, [&](std::span<const std::string_view> pieces) { return read_all(pieces, limits); });
}

TEST(RequestReader, AGetIsDoneWithItsHead) {
  EXPECT_EQ(
      read_many_ways("GET /ws/news?since=-5&x HTTP/1.1\r\nHost: a.example:8000\r\nX-Empty:\r\nX:\t a b \t\r\n\r\n"),
      "done GET target=/ws/news?since=-5&x path=/ws/news query=since=-5&x host=a.example:8000 1.1 keep-alive "
      "[Host|a.example:8000] [X-Empty|] [X|a b] body=\n");
}

TEST(RequestReader, ABodyByLengthAndTheNextRequest) {
  EXPECT_EQ(read_many_ways(
                "POST /pub/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
            "head POST target=/pub/a path=/pub/a query= host=h 1.1 keep-alive has-body [Host|h] [Content-Length|5]\n"
            "done POST target=/pub/a path=/pub/a query= host=h 1.1 keep-alive has-body [Host|h] [Content-Length|5] "
            "body=hello\n"
            "done GET target=/ path=/ query= host=h 1.1 keep-alive [Host|h] body=\n");
}

TEST(RequestReader, AChunkedBody) {
  const std::string seen = read_many_ways(
      "POST / HTTP/1.1\r\nHost: h\r\ntransfer-encoding: Chunked\r\n\r\n"
      "5\r\nhello\r\n0A ; a ;b=c\t; d=\"q;\\\"\";e = f\r\n, 10 bytes\r\n000\r\nTrailer: dropped\r\nX:\r\n\r\nGET");
  EXPECT_TRUE(seen.ends_with(" body=hello, 10 bytes\n")) << seen;
}

TEST(RequestReader, BytesOfAnotherProtocolStayWithTheCaller) {
  const RequestLimits limits;
  RequestReader reader(limits);
  const std::string_view head = "GET /ws/a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  EXPECT_EQ(reader.receive(std::string(head) + "\x81\x80"), head.size());
  EXPECT_EQ(reader.status(), RequestReader::Status::done);
  EXPECT_EQ(reader.receive("more"), 0U);
  EXPECT_TRUE(reader.request().has_token("connection", "upgrade"));
  EXPECT_TRUE(reader.request().keep_alive);
}

struct Verdict {
  const char* why;
  std::string input;
  std::string expected;  // the last word of the transcript's first line, or the whole of it
};

std::string with_headers(std::string_view headers) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n";
}
std::string with_chunks(std::string_view chunks) {
  return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks);
}
std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

TEST(RequestReader, InvalidInputHasAnExactError) {
  using namespace std::string_literals;
  const Verdict verdicts[] = {
      {"bare LF", "GET / HTTP/1.1\nHost: h\n\n", "E_BAD_REQUEST"},
      {"bare LF after headers", "GET / HTTP/1.1\r\nHost: h\n\r\n", "E_BAD_REQUEST"},
      {"bare CR", "GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", "E_BAD_REQUEST"},
      {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"NUL in a value", with_headers("X: a\0b\r\n"s), "E_BAD_REQUEST"},
      {"NUL in the target", "GET /\0 HTTP/1.1\r\n"s, "E_BAD_REQUEST"},
      {"DEL", with_headers("X: \x7f\r\n"), "E_BAD_REQUEST"},
      {"escape", with_headers("X: \x1b[2J\r\n"), "E_BAD_REQUEST"},
      {"two empty lines first", "\r\n\r\n", "E_BAD_REQUEST"},
      {"folding", with_headers("X: a\r\n b\r\n"), "E_BAD_REQUEST"},
      {"folding by tab", with_headers("X: a\r\n\tb\r\n"), "E_BAD_REQUEST"},
      {"white space before the first header", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "E_BAD_REQUEST"},
      {"space before the colon", with_headers("X : a\r\n"), "E_BAD_REQUEST"},
      {"no colon", with_headers("X\r\n"), "E_BAD_REQUEST"},
      {"no name", with_headers(": a\r\n"), "E_BAD_REQUEST"},
      {"name is no token", with_headers("X(: a\r\n"), "E_BAD_REQUEST"},
      {"name beyond ASCII", with_headers("\xc3\xa9: a\r\n"), "E_BAD_REQUEST"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", "E_BAD_REQUEST"},
      {"two Hosts", with_headers("Host: h\r\n"), "E_BAD_REQUEST"},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "E_BAD_REQUEST"},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "E_BAD_REQUEST"},
      {"Host with a user", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "E_BAD_REQUEST"},
      {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "E_BAD_REQUEST"},
      {"Host port is no number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", "E_BAD_REQUEST"},
      {"Host open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "E_BAD_REQUEST"},
      {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "E_BAD_REQUEST"},
      {"HTTP/0.9", "GET /\r\n\r\n", "E_BAD_REQUEST"},
      {"no target", "GET  HTTP/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"two spaces", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"space at the end", "GET / HTTP/1.1 \r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"tab for a space", "GET\t/\tHTTP/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"space in the target", get("/a b"), "E_BAD_REQUEST"},
      {"fragment in the target", get("/a#b"), "E_BAD_REQUEST"},
      {"relative target", get("a"), "E_BAD_REQUEST"},
      {"asterisk without OPTIONS", get("*"), "E_BAD_REQUEST"},
      {"authority form", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"other scheme", get("ftp://h/"), "E_BAD_REQUEST"},
      {"absolute without authority", get("http:///a"), "E_BAD_REQUEST"},
      {"absolute with a user", get("http://u:p@h/"), "E_BAD_REQUEST"},
      {"absolute and another Host", get("http://other/"), "E_BAD_REQUEST"},
      {"method is no token", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"method too long", std::string(33, 'G') + " / HTTP/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"lower case version", "GET / http/1.1\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"long version", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", "E_BAD_REQUEST"},
      {"version 2", "PRI * HTTP/2.0\r\n\r\n", "E_HTTP_VERSION"},
      {"version 1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "E_HTTP_VERSION"},
      {"version 777 beside an upgrade (T40)", "GET / HTTP/7.7\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
       "E_HTTP_VERSION"},
      {"length and chunked", with_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "E_BAD_REQUEST"},
      {"chunked and length", with_headers("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), "E_BAD_REQUEST"},
      {"two lengths", with_headers("Content-Length: 5\r\nContent-Length: 5\r\n"), "E_BAD_REQUEST"},
      {"list of lengths", with_headers("Content-Length: 5, 5\r\n"), "E_BAD_REQUEST"},
      {"empty length", with_headers("Content-Length:\r\n"), "E_BAD_REQUEST"},
      {"negative length", with_headers("Content-Length: -1\r\n"), "E_BAD_REQUEST"},
      {"signed length", with_headers("Content-Length: +1\r\n"), "E_BAD_REQUEST"},
      {"hex length", with_headers("Content-Length: 0x1\r\n"), "E_BAD_REQUEST"},
      {"length with a space", with_headers("Content-Length: 1 1\r\n"), "E_BAD_REQUEST"},
      {"length above the limit", with_headers("Content-Length: 1048577\r\n"), "E_MESSAGE_TOO_BIG"},
      {"length of 2^64", with_headers("Content-Length: 18446744073709551616\r\n"), "E_MESSAGE_TOO_BIG"},
      {"length of 30 digits", with_headers("Content-Length: 999999999999999999999999999999\r\n"), "E_MESSAGE_TOO_BIG"},
      {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "E_BAD_REQUEST"},
      {"two transfer encodings", with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       "E_BAD_REQUEST"},
      {"chunked twice", with_headers("Transfer-Encoding: chunked, chunked\r\n"), "E_BAD_REQUEST"},
      {"chunked is not last", with_headers("Transfer-Encoding: chunked, gzip\r\n"), "E_BAD_REQUEST"},
      {"not chunked", with_headers("Transfer-Encoding: gzip\r\n"), "E_BAD_REQUEST"},
      {"identity", with_headers("Transfer-Encoding: identity\r\n"), "E_BAD_REQUEST"},
      {"empty transfer encoding", with_headers("Transfer-Encoding:\r\n"), "E_BAD_REQUEST"},
      {"quoted transfer encoding", with_headers("Transfer-Encoding: \"chunked\"\r\n"), "E_BAD_REQUEST"},
      {"comma after chunked", with_headers("Transfer-Encoding: chunked,\r\n"), "E_BAD_REQUEST"},
      {"coding before chunked", with_headers("Transfer-Encoding: gzip, chunked\r\n"), "E_NOT_IMPLEMENTED"},
      {"other expectation", with_headers("Expect: 200-ok\r\n"), "E_EXPECT"},
      {"two expectations", with_headers("Expect: 100-continue\r\nExpect: 100-continue\r\n"), "E_EXPECT"},
      {"long request line", get("/" + std::string(8192, 'a')), "E_URI_TOO_LONG"},
      {"endless request line", std::string(9000, 'a'), "E_URI_TOO_LONG"},
      {"long header", with_headers("X: " + std::string(16 * 1024, 'a') + "\r\n"), "E_HEADERS_TOO_LARGE"},
      {"endless header", "GET / HTTP/1.1\r\n" + std::string(20'000, 'a'), "E_HEADERS_TOO_LARGE"},
  };
  for (const Verdict& verdict : verdicts) {
    SCOPED_TRACE(verdict.why);
    EXPECT_EQ(read_many_ways(verdict.input), "failed " + verdict.expected + "\n");
  }
}

TEST(RequestReader, InvalidChunksHaveAnExactError) {
  const Verdict verdicts[] = {
      {"no size", with_chunks("\r\n"), "E_BAD_REQUEST"},
      {"not hex", with_chunks("g\r\n"), "E_BAD_REQUEST"},
      {"0x", with_chunks("0x5\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"negative", with_chunks("-5\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"space first", with_chunks(" 5\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"space after", with_chunks("5 \r\nhello\r\n"), "E_BAD_REQUEST"},
      {"17 digits", with_chunks("00000000000000005\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"too big", with_chunks("100001\r\n"), "E_MESSAGE_TOO_BIG"},
      {"2^64 - 1", with_chunks("ffffffffffffffff\r\n"), "E_MESSAGE_TOO_BIG"},
      {"bare LF after the size", with_chunks("5\nhello\r\n"), "E_BAD_REQUEST"},
      {"bare CR after the size", with_chunks("5\rhello\r\n"), "E_BAD_REQUEST"},
      {"LF in an extension (CVE-2025-55315)", with_chunks("5;a\nb\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"CR in an extension (CVE-2025-55315)", with_chunks("5;a\rb\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"LF in a quoted extension", with_chunks("5;a=\"\n\"\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"empty extension", with_chunks("5;\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"extension without a name", with_chunks("5;=a\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"extension without a value", with_chunks("5;a=\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"extension with an open quote", with_chunks("5;a=\"b\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"extension with a last backslash", with_chunks("5;a=\"b\\\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"extension with a space at its end", with_chunks("5;a \r\nhello\r\n"), "E_BAD_REQUEST"},
      {"extension without a semicolon", with_chunks("5 a\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"long size line", with_chunks("5;" + std::string(300, 'a') + "\r\nhello\r\n"), "E_BAD_REQUEST"},
      {"chunk longer than its size", with_chunks("5\r\nhello!\r\n"), "E_BAD_REQUEST"},
      {"LF after the chunk", with_chunks("5\r\nhello\n0\r\n\r\n"), "E_BAD_REQUEST"},
      {"trailer folding", with_chunks("0\r\nX: a\r\n b\r\n\r\n"), "E_BAD_REQUEST"},
      {"trailer without a colon", with_chunks("0\r\nX\r\n\r\n"), "E_BAD_REQUEST"},
      {"trailer with a bare LF", with_chunks("0\r\nX: a\n\r\n"), "E_BAD_REQUEST"},
      {"trailers too large", with_chunks("0\r\nX: " + std::string(5000, 'a') + "\r\n\r\n"), "E_HEADERS_TOO_LARGE"},
  };
  for (const Verdict& verdict : verdicts) {
    SCOPED_TRACE(verdict.why);
    const std::string seen = read_many_ways(verdict.input);
    EXPECT_TRUE(seen.starts_with("head ")) << seen;
    EXPECT_TRUE(seen.ends_with("\nfailed " + verdict.expected + "\n")) << seen;
  }
}

TEST(RequestReader, ManySmallExtensionsAreALimitToo) {
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "1;" + std::string(250, 'a') + "\r\nx\r\n";
  EXPECT_TRUE(read_many_ways(with_chunks(chunks)).ends_with("failed E_BAD_REQUEST\n"));
}

TEST(RequestReader, ValidInputThatLooksOdd) {
  const Verdict verdicts[] = {
      {"one empty line first", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", " 1.1 keep-alive [Host|h] body=\n"},
      {"absolute form", "GET http://H:1/a?b HTTP/1.1\r\nHost: h:1\r\n\r\n", " target=/a?b path=/a query=b host=h:1 "},
      {"absolute form without a path", "GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n", " target=/ path=/ query= host=h "},
      {"absolute form with a query only", "GET http://h?b HTTP/1.1\r\nHost: h\r\n\r\n",
       " target=?b path=/ query=b host=h "},
      {"asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", " target=* path=* "},
      {"IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n", " host=[::1]:8000 "},
      {"UTF-8 path as curl sends it", get("/pub/新闻"), " path=/pub/新闻 "},
      {"escapes stay", get("/a%2Fb%zz/../c?%"), " path=/a%2Fb%zz/../c query=% "},
      {"no Host in 1.0", "GET / HTTP/1.0\r\n\r\n", " host= 1.0 body="},
      {"keep-alive in 1.0", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", " 1.0 keep-alive "},
      {"close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", " 1.1 [Host|h] "},
      {"length zero", with_headers("Content-Length: 0\r\n"), "done POST"},
      {"leading zeros", with_headers("Content-Length: 0003\r\n") + "abc", " body=abc\n"},
      {"expectation", with_headers("Expect: 100-Continue\r\nContent-Length: 1\r\n") + "a",
       " expects-continue has-body "},
      {"expectation without a body", with_headers("Expect: 100-continue\r\n"), " 1.1 keep-alive [Host|h]"},
      {"bytes above 0x7f in a value", with_headers("X: \xe9\r\n"), "[X|\xe9]"},
      {"largest body", with_headers("Content-Length: 10\r\n") + "0123456789", " body=0123456789\n"},
  };
  const RequestLimits limits{.body_bytes_max = 10};
  for (const Verdict& verdict : verdicts) {
    SCOPED_TRACE(verdict.why);
    const std::string seen = read_many_ways(verdict.input, limits);
    EXPECT_NE(seen.find(verdict.expected), std::string::npos) << seen;
    EXPECT_EQ(seen.find("failed"), std::string::npos) << seen;
  }
}

TEST(RequestReader, EveryLimitIsMetExactly) {
  const std::string head = "GET /abc HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
  const RequestLimits exact{.request_line_bytes_max = 17,
                            .head_bytes_max = static_cast<std::uint32_t>(head.size()),
                            .headers_max = 2,
                            .body_bytes_max = 0};
  EXPECT_TRUE(read_many_ways(head, exact).starts_with("done "));

  RequestLimits limits = exact;
  limits.request_line_bytes_max -= 1;
  EXPECT_EQ(read_many_ways(head, limits), "failed E_URI_TOO_LONG\n");
  for (std::uint32_t less = 1; less < head.size() - 19; ++less) {  // 19: the request line, whose error is another
    limits = exact;
    limits.head_bytes_max -= less;
    EXPECT_EQ(read_many_ways(head, limits), "failed E_HEADERS_TOO_LARGE\n") << less;
  }
  limits = exact;
  limits.headers_max = 1;
  EXPECT_EQ(read_many_ways(head, limits), "failed E_HEADERS_TOO_LARGE\n");
}

TEST(RequestReader, ADeclaredLengthAllocatesNothing) {
  const RequestLimits limits{.body_bytes_max = 1 << 30};
  RequestReader reader(limits);
  reader.receive(with_headers("Content-Length: 1000000000\r\n"));
  EXPECT_EQ(reader.status(), RequestReader::Status::head_done);
  EXPECT_LT(reader.held_bytes(), 1024U);
  RequestReader chunked(limits);
  chunked.receive(with_chunks("3b9aca00\r\n"));  // the head
  EXPECT_LT(chunked.held_bytes(), 1024U);
}

TEST(RequestReader, TooManyHeadersPinLittle) {  // T05
  const RequestLimits limits;
  RequestReader reader(limits);
  std::string flood = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 2000; ++i) flood += "X" + std::to_string(i) + ": y\r\n";
  reader.receive(flood);
  EXPECT_EQ(reader.error(), base::Error::headers_too_large);
  EXPECT_LE(reader.held_bytes(), 16U * 1024);
}

TEST(HeaderList, FindsCountsAndSearches) {
  HeaderList list;
  list.headers = {{"Connection", "keep-alive , Upgrade"}, {"connection", ",,x"}, {"Host", "h"}};
  EXPECT_EQ(list.find("HOST"), "h");
  EXPECT_FALSE(list.find("connection"));
  EXPECT_FALSE(list.find("hos"));
  EXPECT_EQ(list.count("CONNECTION"), 2U);
  EXPECT_TRUE(list.has_token("Connection", "upgrade"));
  EXPECT_TRUE(list.has_token("Connection", "X"));
  EXPECT_FALSE(list.has_token("Connection", "up"));
  EXPECT_FALSE(list.has_token("Upgrade", "upgrade"));
}

}  // namespace
}  // namespace http
