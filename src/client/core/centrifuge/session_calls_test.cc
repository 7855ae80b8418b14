// Calls: their commands, answers, and every way in which none comes.
#include <gtest/gtest.h>

#include "client/core/centrifuge/rig.h"

namespace client::centrifuge {
namespace {

TEST(CentrifugeCalls, InOneFrame) {
  Rig rig;
  rig.establish();
  rig.run([&](Session& s) {
    s.call(1, PublishCall{"news", "[1]"}, rig.now);
    s.call(2, RpcCall{"sum", "[1,2]"}, rig.now);
    s.call(3, SendCall{"\"x\""}, rig.now);
    s.call(4, PresenceCall{"news"}, rig.now);
    s.call(5, PresenceStatsCall{"news"}, rig.now);
    s.call(6,
           HistoryCall{"news",
                       {.limit = 3,
                        .since = wirebird::StreamPosition{7, "e"},
                        .order = wirebird::HistoryOptions::Order::newest_first}},
           rig.now);
    s.call(7, HistoryCall{"news", {}}, rig.now);
  });
  EXPECT_EQ(rig.events(), Lines{"#3 sent"});
  EXPECT_EQ(
      rig.sent(),
      Lines{R"({"id":2,"publish":{"channel":"news","data":[1]}} | )"
            R"({"id":3,"rpc":{"data":[1,2],"method":"sum"}} | )"
            R"({"send":{"data":"x"}} | )"
            R"({"id":4,"presence":{"channel":"news"}} | )"
            R"({"id":5,"presence_stats":{"channel":"news"}} | )"
            R"({"id":6,"history":{"channel":"news","limit":3,"since":{"offset":7,"epoch":"e"},"reverse":true}} | )"
            R"({"id":7,"history":{"channel":"news"}})"});
  rig.reply(3, wire::RpcResult{{"3"}});  // answers may come in any order
  rig.reply(2, wire::PublishResult{});
  rig.reply(4, wire::PresenceResult{{{"c1", {"u1", "c1", {}, {}}}, {"c2", {"u2", "c2", {}, {}}}}});
  rig.reply(5, wire::PresenceStatsResult{2, 1});
  rig.reply(6, wire::HistoryResult{
                   .publications = {{.data = {"{}"}, .offset = 8, .tags = {{"k", "v"}}}}, .epoch = "e", .offset = 8});
  rig.reply(7, wire::HistoryResult{.epoch = "e", .offset = 8});
  EXPECT_EQ(rig.events(), (Lines{"#2 rpc 3", "#1 published", "#4 presence c1=u1 c2=u2", "#5 stats 2 1",
                                 "#6 history e:8, publication {} @8 k=v", "#7 history e:8"}));
}

TEST(CentrifugeCalls, BytesOverProtobuf) {
  Rig rig(Rig::protobuf());
  rig.establish();
  const std::string data("\0\xff\n", 3);
  rig.call(1, RpcCall{"m", data});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":2,"rpc":{"data":{"base64":"AP8K"},"method":"m"}})"});
  rig.reply(2, wire::RpcResult{{data, hub::Kind::binary}});
  EXPECT_EQ(rig.events(), Lines{"#1 rpc " + data});
}

TEST(CentrifugeCalls, Refused) {
  Rig rig;
  rig.establish();
  rig.call(1, PublishCall{"news", "1"});
  rig.refuse(2, 103, "permission denied");
  EXPECT_EQ(rig.events(), Lines{"#1 error 103 permission denied"});
}

TEST(CentrifugeCalls, NotConnected) {
  Rig rig;
  rig.call(1, PublishCall{"news", "1"});
  EXPECT_EQ(rig.events(), Lines{"#1 error 3 client disconnected"});
  rig.connect();
  rig.call(2, PublishCall{"news", "2"});
  rig.accept();
  EXPECT_EQ(rig.sent(), Lines{R"({"id":1,"connect":{"name":"cpp"}})"});
  rig.events();
  rig.reply(1, wire::ConnectResult{.client = "c"});
  EXPECT_EQ(rig.sent(), Lines{R"({"id":2,"publish":{"channel":"news","data":2}})"});
  rig.cut();
  EXPECT_EQ(rig.events(), (Lines{"connected c", "connecting 1 transport closed", "#2 error 11 connection closed"}));
  rig.call(3, PublishCall{"news", "3"});
  rig.run([](Session& s) { s.disconnect(); });
  EXPECT_EQ(rig.events(), (Lines{"disconnected 0 disconnect called", "#3 error 3 client disconnected"}));
}

TEST(CentrifugeCalls, NotAnswered) {
  Rig rig;
  rig.establish({.client = "c"});
  rig.call(1, PublishCall{"news", "1"});
  rig.wait(2s);
  rig.call(2, PublishCall{"news", "2"});
  rig.wait(3s);
  EXPECT_EQ(rig.events(), Lines{"#1 error 1 timeout"});
  rig.reply(2, wire::PublishResult{});  // too late
  rig.wait(2s);
  EXPECT_EQ(rig.events(), Lines{"#2 error 1 timeout"});

  Rig offline;
  offline.connect();
  offline.events();
  offline.call(1, PublishCall{"news", "1"});
  offline.wait(5s);
  EXPECT_EQ(offline.events(), Lines{"#1 error 1 timeout"});
}

TEST(CentrifugeCalls, AnswersOfAnotherKind) {
  for (const Call& call :
       std::vector<Call>{PublishCall{}, RpcCall{}, HistoryCall{}, PresenceCall{}, PresenceStatsCall{}}) {
    Rig rig;
    rig.establish();
    rig.call(1, call);
    rig.reply(2, wire::RefreshResult{});
    EXPECT_EQ(rig.events(), (Lines{"#1 error 11 the answer is of another kind", "disconnected 2 bad protocol"}));
  }
}

// Servers refuse frames above 64 KiB, so many commands go in several.
TEST(CentrifugeCalls, FramesHaveAnEnd) {
  Rig rig;
  rig.establish();
  const std::string data = '"' + std::string(5000, 'x') + '"';
  rig.run([&](Session& s) {
    for (CallId id = 1; id <= 10; ++id) s.call(id, PublishCall{"news", data}, rig.now);
    s.call(11, PublishCall{"news", '"' + std::string(40000, 'y') + '"'}, rig.now);
    s.call(12, PublishCall{"news", "1"}, rig.now);
  });
  const Lines frames = rig.sent();
  ASSERT_EQ(frames.size(), 6U);  // 3 + 3 + 3 + 1, the large one, the last
  for (const std::string& frame : frames) EXPECT_LT(frame.size(), 41000U);
}

TEST(CentrifugeCalls, TheEnd) {
  Rig rig;
  rig.establish();
  rig.subscribe(1, {.channel = "news"});
  rig.sent();
  rig.events();
  rig.call(1, PublishCall{"news", "1"});
  rig.run([&](Session& s) { s.call(2, 1, PublishCall{"news", "2"}, rig.now); });
  rig.sent();
  rig.run([](Session& s) { s.close(); });
  EXPECT_EQ(rig.events(), (Lines{"#1 error 4 client closed", "#2 error 4 client closed"}));
  EXPECT_EQ(rig.sent(), Lines{"close 1000"});
}

}  // namespace
}  // namespace client::centrifuge
