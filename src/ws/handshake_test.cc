#include "ws/handshake.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/entropy.h"
#include "http/request_reader.h"
#include "http/response_reader.h"

namespace ws {
namespace {

using base::Error;
using Fields = std::vector<std::pair<std::string, std::string>>;

// A request as a value with its own bytes: views of http::Request point into the fields.
struct Asked {
  Fields fields = {{"Host", "example.com"},
                   {"Upgrade", "websocket"},
                   {"Connection", "Upgrade"},
                   {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                   {"Sec-WebSocket-Version", "13"}};
  std::string method = "GET";
  std::uint8_t minor_version = 1;
  bool has_body = false;

  Asked& set(const std::string& name, const std::string& value) {
    for (auto& field : fields) {
      if (field.first == name) field.second = value;
    }
    return *this;
  }
  Asked& add(const std::string& name, const std::string& value) {
    fields.emplace_back(name, value);
    return *this;
  }
  Asked& drop(const std::string& name) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
    return *this;
  }
  http::Request request() const {
    http::Request request;
    request.method = method;
    request.target = request.path = "/";
    request.minor_version = minor_version;
    request.has_body = has_body;
    for (const auto& [name, value] : fields) request.headers.push_back({name, value});
    return request;
  }
  std::expected<Accepted, Error> accept(const ServerOptions& options = {}) const {
    return ws::accept(request(), options);
  }
};

Error error_of(const Asked& asked) {
  const auto accepted = asked.accept();
  return accepted.has_value() ? Error::none : accepted.error();
}

// RFC 6455 section 1.3.
TEST(Handshake, ExampleOfTheStandard) {
  const auto accepted = Asked().accept();
  ASSERT_TRUE(accepted.has_value());
  EXPECT_EQ(switching_protocols(*accepted),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST(Handshake, TakesWhatBrowsersSend) {
  Asked asked;
  asked.set("Connection", "keep-alive, Upgrade").set("Upgrade", "WebSocket");
  EXPECT_EQ(error_of(asked), Error::none);
  EXPECT_TRUE(asks_for_websocket(asked.request()));
}

TEST(Handshake, RefusesEachMissingOrWrongPart) {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  Asked post;
  post.method = "POST";
  EXPECT_EQ(error_of(post), Error::method_not_allowed);
  Asked old;
  old.minor_version = 0;
  EXPECT_EQ(error_of(old), Error::bad_handshake);
  Asked body;
  body.has_body = true;
  EXPECT_EQ(error_of(body), Error::bad_handshake);

  EXPECT_EQ(error_of(Asked().drop("Host")), Error::bad_handshake);
  EXPECT_EQ(error_of(Asked().drop("Upgrade")), Error::upgrade_required);
  EXPECT_EQ(error_of(Asked().set("Upgrade", "h2c")), Error::upgrade_required);
  EXPECT_EQ(error_of(Asked().drop("Connection")), Error::bad_handshake);
  EXPECT_EQ(error_of(Asked().set("Connection", "close")), Error::bad_handshake);
  EXPECT_EQ(error_of(Asked().drop("Sec-WebSocket-Version")), Error::bad_handshake);
  EXPECT_EQ(error_of(Asked().set("Sec-WebSocket-Version", "8")), Error::upgrade_required);
  EXPECT_EQ(error_of(Asked().set("Sec-WebSocket-Version", "013")), Error::upgrade_required);
  EXPECT_EQ(error_of(Asked().add("Sec-WebSocket-Version", "13")), Error::bad_handshake);
  EXPECT_EQ(error_of(Asked().drop("Sec-WebSocket-Key")), Error::bad_handshake);
  EXPECT_EQ(error_of(Asked().add("Sec-WebSocket-Key", key)), Error::bad_handshake);
  for (const std::string bad : {"", "c2hvcnQ=", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZSE=",
                                "dGhlIHNhbXBsZSBub25jZQ==, x", "!!!!!!!!!!!!!!!!!!!!!!=="}) {
    EXPECT_EQ(error_of(Asked().set("Sec-WebSocket-Key", bad)), Error::bad_handshake) << bad;
  }
  EXPECT_FALSE(asks_for_websocket(post.request()));
  EXPECT_FALSE(asks_for_websocket(Asked().drop("Upgrade").request()));
}

TEST(Handshake, SubprotocolsAreTokensAndDifferent) {
  const auto offered = [](const Asked& asked) { return offered_subprotocols(asked.request()); };
  EXPECT_EQ(*offered(Asked()), std::vector<std::string_view>{});
  Asked three;
  three.add("Sec-WebSocket-Protocol", "a, b").add("Host", "x").add("sec-websocket-protocol", "c");
  EXPECT_EQ(*offered(three), (std::vector<std::string_view>{"a", "b", "c"}));
  for (const std::string bad : {"a b", "a, a", "\"a\"", "a;b", "a/b"}) {
    const auto result = offered(Asked().add("Sec-WebSocket-Protocol", bad));
    ASSERT_FALSE(result.has_value()) << bad;
    EXPECT_EQ(result.error(), Error::bad_handshake);
    EXPECT_EQ(error_of(Asked().add("Sec-WebSocket-Protocol", bad)), Error::bad_handshake);
  }
  EXPECT_FALSE(offered(Asked().add("Sec-WebSocket-Protocol", "a").add("Sec-WebSocket-Protocol", "a")).has_value());
}

TEST(Handshake, ChoosesOurBestSubprotocolAndNeverTheBearer) {
  const std::vector<std::string_view> ours = {"wirebird.bearer.secret", "best", "good"};
  const auto chosen = [&](const std::string& offered) {
    return Asked().add("Sec-WebSocket-Protocol", offered).accept({.subprotocols = ours})->subprotocol;
  };
  EXPECT_EQ(chosen("good, best"), "best");
  EXPECT_EQ(chosen("good"), "good");
  EXPECT_EQ(chosen("other"), "");
  EXPECT_EQ(chosen("wirebird.bearer.secret, good"), "good");
  EXPECT_EQ(chosen("wirebird.bearer.secret"), "");
  const auto accepted = Asked().add("Sec-WebSocket-Protocol", "good").accept({.subprotocols = ours});
  EXPECT_NE(switching_protocols(*accepted).find("\r\nSec-WebSocket-Protocol: good\r\n"), std::string::npos);
}

struct Negotiation {
  std::string offer;
  std::string plain_answer;    // with DeflateOffer::no_context_takeover
  std::string context_answer;  // with DeflateOffer::context_takeover
};

constexpr std::string_view kNoContext = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

std::vector<Negotiation> negotiations() {
  const std::string none(kNoContext);
  return {
      {"permessage-deflate", none, "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits", none, "permessage-deflate; client_max_window_bits=12"},
      {"permessage-deflate; client_max_window_bits=15", none, "permessage-deflate; client_max_window_bits=12"},
      {"permessage-deflate; client_max_window_bits=\"10\"", none + "; client_max_window_bits=10",
       "permessage-deflate; client_max_window_bits=10"},
      {"permessage-deflate; client_max_window_bits=8", none + "; client_max_window_bits=8",
       "permessage-deflate; client_max_window_bits=8"},
      {"permessage-deflate; server_max_window_bits=9", none + "; server_max_window_bits=9",
       "permessage-deflate; server_max_window_bits=9"},
      {"permessage-deflate; server_max_window_bits=15", none + "; server_max_window_bits=15",
       "permessage-deflate; server_max_window_bits=15"},
      {"permessage-deflate;server_no_context_takeover;client_no_context_takeover;client_max_window_bits", none, none},
      {"permessage-deflate; server_no_context_takeover", none, "permessage-deflate; server_no_context_takeover"},
      // The first acceptable offer counts.
      {"x-other; a=b, permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10",
       none + "; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10"},
      {" , permessage-deflate ,,", none, "permessage-deflate"},
      // Declined: unknown, doubled, with a wrong value, or what zlib cannot promise.
      {"permessage-deflate; server_max_window_bits=8", "", ""},
      {"permessage-deflate; server_max_window_bits", "", ""},
      {"permessage-deflate; server_max_window_bits=7", "", ""},
      {"permessage-deflate; server_max_window_bits=16", "", ""},
      {"permessage-deflate; server_max_window_bits=010", "", ""},
      {"permessage-deflate; server_max_window_bits=99999999999999999999", "", ""},
      {"permessage-deflate; client_max_window_bits=7", "", ""},
      {"permessage-deflate; client_max_window_bits; client_max_window_bits=10", "", ""},
      {"permessage-deflate; client_max_window_bits; client_max_window_bits", "", ""},
      {"permessage-deflate; server_no_context_takeover=1", "", ""},
      {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "", ""},
      {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "", ""},
      {"permessage-deflate; unknown", "", ""},
      {"x-webkit-deflate-frame", "", ""},
      {"", "", ""},
  };
}

TEST(Handshake, DeflateNegotiation) {
  for (const Negotiation& each : negotiations()) {
    Asked asked;
    asked.add("Sec-WebSocket-Extensions", each.offer);
    const auto refused = asked.accept({.deflate = DeflateOffer::refuse});
    const auto plain = asked.accept({.deflate = DeflateOffer::no_context_takeover});
    const auto context = asked.accept({.deflate = DeflateOffer::context_takeover});
    ASSERT_TRUE(refused.has_value() && plain.has_value() && context.has_value()) << each.offer;
    EXPECT_EQ(refused->extensions, "");
    EXPECT_FALSE(refused->deflate.enabled);
    EXPECT_EQ(plain->extensions, each.plain_answer) << each.offer;
    EXPECT_EQ(plain->deflate.enabled, !each.plain_answer.empty());
    EXPECT_TRUE(plain->deflate.server_no_context_takeover && plain->deflate.client_no_context_takeover);
    EXPECT_EQ(context->extensions, each.context_answer) << each.offer;
    EXPECT_EQ(context->deflate.enabled, !each.context_answer.empty());
  }
}

// T04: what is not even the grammar fails the handshake (RFC 6455 section 9.1).
TEST(Handshake, ExtensionsThatAreNotInTheGrammar) {
  for (const std::string bad : {"permessage-deflate; server_max_window_bits=\"\"",
                                "permessage-deflate; server_max_window_bits=", "permessage-deflate;",
                                "permessage-deflate; ;", "=", "a b", "permessage-deflate; a=\"b", "a; b=\"c d\"",
                                "a; b=\"c\\", "a; b=c=d", "a; b=\"c\"d", "\"a\"", "a; =b", "a\x01"}) {
    EXPECT_EQ(error_of(Asked().add("Sec-WebSocket-Extensions", bad)), Error::bad_extension) << bad;
  }
  EXPECT_EQ(error_of(Asked().add("Sec-WebSocket-Extensions", "a; b=\"c\\d\"; e")), Error::none);
}

// Every pair of parameter spellings is taken or declined, never a crash, and what is answered was asked for.
TEST(Handshake, EveryMixOfTwoParameters) {
  std::vector<std::string> spellings = {"server_no_context_takeover", "client_no_context_takeover",
                                        "server_max_window_bits", "client_max_window_bits"};
  for (const std::string name : {"server_max_window_bits", "client_max_window_bits"}) {
    for (const std::string value : {"0", "7", "8", "9", "12", "15", "16", "-9", "9.0", "255", "4294967305"}) {
      spellings.push_back(name + "=" + value);
    }
  }
  for (const std::string& first : spellings) {
    for (const std::string& second : spellings) {
      const auto accepted = Asked()
                                .add("Sec-WebSocket-Extensions", "permessage-deflate; " + first + "; " + second)
                                .accept({.deflate = DeflateOffer::context_takeover});
      ASSERT_TRUE(accepted.has_value());
      const DeflateParams& params = accepted->deflate;
      EXPECT_EQ(params.enabled, !accepted->extensions.empty());
      if (!params.enabled) continue;
      EXPECT_GE(params.server_max_window_bits, 9);
      EXPECT_LE(params.server_max_window_bits, 15);
      EXPECT_GE(params.client_max_window_bits, 8);
      EXPECT_LE(params.client_max_window_bits, 15);
      const bool client_bits_offered = (first + second).find("client_max_window_bits") != std::string::npos;
      EXPECT_TRUE(client_bits_offered || params.client_max_window_bits == 15);
    }
  }
}

// Our client with our server, over the HTTP readers of both.
TEST(Handshake, ClientAndServerAgree) {
  const std::vector<std::string_view> ours = {"wirebird"};
  for (const DeflateOffer deflate :
       {DeflateOffer::refuse, DeflateOffer::no_context_takeover, DeflateOffer::context_takeover}) {
    base::SeededEntropy entropy(1);
    const ClientOptions options{.host = "example.com:8000",
                                .target = "/ws/news?since=-1",
                                .subprotocols = {"wirebird.bearer.abc", "wirebird"},
                                .headers = {{"Authorization", "Bearer abc"}},
                                .deflate = true};
    const ClientHandshake handshake = start(options, entropy);
    const http::RequestLimits request_limits;
    http::RequestReader request_reader(request_limits);
    EXPECT_EQ(request_reader.receive(handshake.request), handshake.request.size());
    ASSERT_EQ(request_reader.status(), http::RequestReader::Status::done);
    EXPECT_EQ(request_reader.request().find("authorization"), "Bearer abc");
    const auto accepted = accept(request_reader.request(), {.subprotocols = ours, .deflate = deflate});
    ASSERT_TRUE(accepted.has_value());

    const std::string answer = switching_protocols(*accepted);
    const http::ResponseLimits response_limits;
    http::ResponseReader response_reader(response_limits);
    response_reader.receive(answer);
    ASSERT_EQ(response_reader.status(), http::ResponseReader::Status::done);
    const auto established = finish(handshake, options, response_reader.response());
    ASSERT_TRUE(established.has_value());
    EXPECT_EQ(established->subprotocol, "wirebird");
    EXPECT_EQ(established->deflate.enabled, deflate != DeflateOffer::refuse);
    if (established->deflate.enabled) {
      EXPECT_EQ(established->deflate, accepted->deflate);
    }
  }
}

TEST(Handshake, KeysDiffer) {
  base::SeededEntropy entropy(1);
  EXPECT_NE(start({.host = "h"}, entropy).key, start({.host = "h"}, entropy).key);
}

struct Answer {
  Fields fields;
  std::uint16_t status = 101;

  Error finish(const ClientHandshake& handshake, const ClientOptions& options) const {
    http::ResponseHead head;
    head.status = status;
    for (const auto& [name, value] : fields) head.headers.push_back({name, value});
    const auto established = ws::finish(handshake, options, head);
    return established.has_value() ? Error::none : established.error();
  }
};

TEST(Handshake, ClientRefusesWhatItDidNotAskFor) {
  const ClientHandshake handshake{.request = "", .key = "dGhlIHNhbXBsZSBub25jZQ=="};
  const Answer good{.fields = {{"Upgrade", "websocket"},
                               {"Connection", "upgrade"},
                               {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}}};
  const ClientOptions plain{.host = "h"};
  const ClientOptions rich{.host = "h", .subprotocols = {"a", "b"}, .deflate = true};
  EXPECT_EQ(good.finish(handshake, plain), Error::none);

  for (std::size_t missing = 0; missing < good.fields.size(); ++missing) {
    Answer answer = good;
    answer.fields.erase(answer.fields.begin() + static_cast<std::ptrdiff_t>(missing));
    EXPECT_EQ(answer.finish(handshake, plain), Error::bad_handshake);
    answer = good;
    answer.fields[missing].second = "wrong";
    EXPECT_EQ(answer.finish(handshake, plain), Error::bad_handshake);
  }
  Answer ok = good;
  ok.status = 200;
  EXPECT_EQ(ok.finish(handshake, plain), Error::bad_handshake);

  const auto with = [&](const std::string& name, const std::string& value) {
    Answer answer = good;
    answer.fields.emplace_back(name, value);
    return answer;
  };
  const std::string protocol = "Sec-WebSocket-Protocol";
  EXPECT_EQ(with(protocol, "a").finish(handshake, rich), Error::none);
  EXPECT_EQ(with(protocol, "c").finish(handshake, rich), Error::bad_handshake);
  EXPECT_EQ(with(protocol, "a, b").finish(handshake, rich), Error::bad_handshake);
  EXPECT_EQ(with(protocol, "").finish(handshake, rich), Error::bad_handshake);
  EXPECT_EQ(with(protocol, "a").finish(handshake, plain), Error::bad_handshake);

  const std::string extensions = "Sec-WebSocket-Extensions";
  for (const std::string taken :
       {"permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=8; client_max_window_bits=8"}) {
    EXPECT_EQ(with(extensions, taken).finish(handshake, rich), Error::none) << taken;
    EXPECT_EQ(with(extensions, taken).finish(handshake, plain), Error::bad_extension) << taken;
  }
  for (const std::string refused :
       {"x-other", "permessage-deflate, permessage-deflate", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=16", "permessage-deflate; x", "permessage-deflate;"}) {
    EXPECT_EQ(with(extensions, refused).finish(handshake, rich), Error::bad_extension) << refused;
  }
}

}  // namespace
}  // namespace ws
