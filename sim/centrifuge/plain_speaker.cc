#include "sim/centrifuge/plain_speaker.h"

#include "base/assert.h"
#include "codec/json_in.h"
#include "codec/json_out.h"

namespace sim::centrifuge {
namespace {

constexpr ws::Limits kLimits{.message_bytes_max = 64 << 20, .fragments_max = 4096};
constexpr http::ResponseLimits kResponseLimits;
constexpr std::uint32_t kConnect = 1;  // the id of the first command
constexpr std::int64_t kRejectUnrecovered = 2;
constexpr std::uint32_t kResubscribeFrom = 2500;

std::string quoted(std::string_view text) {
  std::string json;
  codec::append_json_string(json, text);
  return json;
}

// --- Protobuf, written by hand

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  out += static_cast<char>(value);
}
void put(std::string& out, unsigned field, std::uint64_t value) {
  if (value == 0) return;
  put_varint(out, std::uint64_t{field} << 3);
  put_varint(out, value);
}
void put(std::string& out, unsigned field, std::string_view bytes) {
  put_varint(out, (std::uint64_t{field} << 3) | 2);
  put_varint(out, bytes.size());
  out += bytes;
}
std::string command_of(std::uint32_t id, unsigned field, std::string_view request) {
  std::string message, whole;
  put(message, 1, id);
  put(message, field, request);
  put_varint(whole, message.size());
  return whole + message;
}

}  // namespace

PlainSpeaker::PlainSpeaker(Story story, PlainOptions options, std::uint64_t seed)
    : Speaker(std::move(story)),
      options_(std::move(options)),
      entropy_(seed),
      scratch_(entropy_),
      places_(story_.wishes.size()) {}

bool PlainSpeaker::settled() const {
  if (!open_ || !connected_ || !waiting_.empty()) return false;
  for (const Place& each : places_) {
    if (!each.live) return false;
  }
  return true;
}

void PlainSpeaker::come(base::Instant) {
  handshake_options_ = {.host = "localhost", .target = "/connection/websocket", .deflate = options_.deflate};
  if (story_.format == Format::protobuf) {
    if (entropy_.below(2) == 0) {
      handshake_options_.subprotocols = {"centrifuge-protobuf"};
    } else {
      handshake_options_.target += "?format=protobuf";
    }
  }
  handshake_ = ws::start(handshake_options_, entropy_);
  response_.emplace(kResponseLimits);
  session_.reset();
  waiting_.clear();
  command_ = kConnect;
  open_ = true;
  connected_ = pongs_ = false;
  output_ = handshake_.request;
}

void PlainSpeaker::receive(std::span<char> bytes, base::Instant now) {
  using Status = http::ResponseReader::Status;
  while (open_ && !session_ && !bytes.empty()) {
    bytes = bytes.subspan(response_->receive({bytes.data(), bytes.size()}));
    if (response_->status() == Status::failed) return complain("not HTTP", now);
    if (response_->status() != Status::done) continue;
    const auto established = ws::finish(handshake_, handshake_options_, response_->response());
    if (!established) return complain("refused: " + std::string(response_->body()), now);
    session_.emplace(ws::Role::client, kLimits, established->deflate);
    begin(now);
  }
  while (open_ && !bytes.empty()) {
    scratch_.clear();
    bytes = bytes.subspan(session_->receive(scratch_, bytes, now));
    output_ += scratch_.output();
    // Commands that a frame leads to use the scratch that its payload lies in.
    std::vector<std::string> frames;
    const bool binary = story_.format == Format::protobuf;
    for (const ws::Event& event : scratch_.events()) {
      if (event.type == ws::Event::Type::close) {
        for (const std::string& frame : frames) take_frame(frame, now);
        return end(event.error == base::Error::none ? event.close_code : 1006, event.payload, now);
      }
      if (event.type == ws::Event::Type::text || event.type == ws::Event::Type::binary) {
        if ((event.type == ws::Event::Type::binary) != binary) return complain("a frame of the other kind", now);
        frames.emplace_back(event.payload);
      }
    }
    for (const std::string& frame : frames) take_frame(frame, now);
  }
}

// As libraries do, connect and subscribes go in one frame, or each in its own.
void PlainSpeaker::begin(base::Instant now) {
  std::vector<std::string> commands = {connect_command(now)};
  for (std::size_t wish = 0; wish < places_.size(); ++wish) {
    places_[wish].live = places_[wish].leaving = false;
    if (story_.wishes[wish].made == Wish::Made::by_client) commands.push_back(subscribe_command(wish, now));
  }
  if (entropy_.below(2) == 0) {
    for (const std::string& each : commands) send(each);
    return;
  }
  std::string batch;
  for (const std::string& each : commands) {
    if (!batch.empty() && story_.format == Format::json) batch += '\n';
    batch += each;
  }
  send(batch);
}

PlainSpeaker::Recovery PlainSpeaker::ask(std::size_t wish, base::Instant now) {
  const Place& place = places_[wish];
  Record& record = write(Record::Kind::ask, wish, now);
  if (story_.wishes[wish].kind != Wish::Kind::recoverable || !place.known) return {};
  Recovery recovery{.recovers = true, .place = place.place};
  const std::uint32_t lie = options_.lies ? entropy_.below(100) : 100;
  if (lie < 2) {
    recovery.place.epoch = "_";  // what libraries send when they know that they have lost their place
    record.honesty = Record::Honesty::false_place;
  } else if (lie < 4) {
    recovery.place.offset += 1 + entropy_.below(2) * 100'000 + 1000;
    record.honesty = Record::Honesty::false_place;
  } else if (lie < 8) {
    recovery.place.epoch.clear();
    record.honesty = Record::Honesty::no_epoch;
  }
  const bool by_client = story_.wishes[wish].made == Wish::Made::by_client;
  if (by_client && entropy_.below(10) == 0) recovery.flag = kRejectUnrecovered;
  record.recovers = true;
  record.place = recovery.place;
  record.rejects = recovery.flag != 0;
  return recovery;
}

std::string PlainSpeaker::connect_command(base::Instant now) {
  const bool json = story_.format == Format::json;
  std::string subs, request;
  for (std::size_t wish = 0; wish < places_.size(); ++wish) {
    if (story_.wishes[wish].made != Wish::Made::by_server) continue;
    const Recovery recovery = ask(wish, now);
    if (!recovery.recovers) continue;
    if (json) {
      subs += (subs.empty() ? "" : ",") + quoted(story_.wishes[wish].channel) + ":{\"recover\":true,\"epoch\":\"" +
              recovery.place.epoch + "\",\"offset\":" + std::to_string(recovery.place.offset) + "}";
    } else {
      std::string sub, entry;
      put(sub, 3, 1);
      put(sub, 6, std::string_view(recovery.place.epoch));
      put(sub, 7, recovery.place.offset);
      put(entry, 1, std::string_view(story_.wishes[wish].channel));
      put(entry, 2, std::string_view(sub));
      put(subs, 3, std::string_view(entry));
    }
  }
  if (!json) {
    if (!options_.token.empty()) put(request, 1, std::string_view(options_.token));
    return command_of(kConnect, 4, request + subs);
  }
  if (!options_.token.empty()) request = "\"token\":\"" + options_.token + "\",";
  return "{\"id\":1,\"connect\":{" + request + "\"subs\":{" + subs + "}}}";
}

std::string PlainSpeaker::subscribe_command(std::size_t wish, base::Instant now) {
  const Wish& wanted = story_.wishes[wish];
  const Recovery recovery = ask(wish, now);
  const std::uint32_t id = ++command_;
  waiting_[id] = wish;
  const bool recoverable = wanted.kind == Wish::Kind::recoverable;
  if (story_.format == Format::protobuf) {
    std::string request;
    put(request, 1, std::string_view(wanted.channel));
    put(request, 3, recovery.recovers ? 1 : 0);
    put(request, 6, std::string_view(recovery.place.epoch));
    put(request, 7, recovery.place.offset);
    put(request, 9, wanted.kind == Wish::Kind::positioned ? 1 : 0);
    put(request, 10, recoverable ? 1 : 0);
    put(request, 11, wanted.join_leave ? 1 : 0);
    if (wanted.delta) put(request, 12, std::string_view("fossil"));
    put(request, 14, static_cast<std::uint64_t>(recovery.flag));
    return command_of(id, 5, request);
  }
  std::string request = "{\"id\":" + std::to_string(id) + ",\"subscribe\":{\"channel\":" + quoted(wanted.channel);
  if (recoverable) request += ",\"recoverable\":true";
  if (wanted.kind == Wish::Kind::positioned) request += ",\"positioned\":true";
  if (recovery.recovers) {
    request += ",\"recover\":true,\"epoch\":\"" + recovery.place.epoch +
               "\",\"offset\":" + std::to_string(recovery.place.offset);
  }
  if (wanted.join_leave) request += ",\"join_leave\":true";
  if (wanted.delta) request += R"(,"delta":"fossil")";
  if (recovery.flag != 0) request += ",\"flag\":" + std::to_string(recovery.flag);
  return request + "}}";
}

std::string PlainSpeaker::unsubscribe_command(std::size_t wish) {
  const std::string& channel = story_.wishes[wish].channel;
  if (story_.format == Format::json) {
    return "{\"id\":" + std::to_string(++command_) + ",\"unsubscribe\":{\"channel\":" + quoted(channel) + "}}";
  }
  std::string request;
  put(request, 1, std::string_view(channel));
  return command_of(++command_, 6, request);
}

void PlainSpeaker::send(std::string_view commands) {
  scratch_.clear();
  if (story_.format == Format::json) {
    session_->send_text(scratch_, commands);
  } else {
    session_->send_binary(scratch_, commands);
  }
  output_ += scratch_.output();
}

void PlainSpeaker::take_frame(std::string_view frame, base::Instant now) {
  if (!open_) return;
  const auto all = story_.format == Format::json ? hear_json(frame) : hear_protobuf(frame);
  if (!all || all->empty()) return complain("a frame that is not of the protocol", now);
  for (const Heard& each : *all) {
    if (open_) take(each, now);
  }
}

void PlainSpeaker::take(const Heard& heard, base::Instant now) {
  if (heard.kind == Heard::Kind::ping) {
    if (pongs_) send(story_.format == Format::json ? std::string_view("{}") : std::string_view("\0", 1));
    return;
  }
  if (heard.id == kConnect) {
    if (heard.kind != Heard::Kind::connected) return complain("connect: error " + std::to_string(heard.error), now);
    connected_ = true;
    pongs_ = heard.pong;
    for (const auto& [channel, subscription] : heard.subscriptions) {
      const auto wish = wish_of(channel);
      if (!wish || story_.wishes[*wish].made != Wish::Made::by_server) return complain("an uninvited channel", now);
      take_answer(*wish, subscription, now);
    }
    return;
  }
  if (heard.id != 0) {
    if (heard.kind == Heard::Kind::unsubscribed) return;
    const auto found = waiting_.find(heard.id);
    if (found == waiting_.end()) return complain("an answer to nothing", now);
    const std::size_t wish = found->second;
    waiting_.erase(found);
    if (heard.kind == Heard::Kind::subscribed) return take_answer(wish, heard.subscription, now);
    write(Record::Kind::refused, wish, now).code = heard.error;
    places_[wish].known = false;  // it loads its state anew
    return send(subscribe_command(wish, now));
  }
  const auto wish = wish_of(heard.channel);
  if (!wish) return complain("a push of " + heard.channel, now);
  Place& place = places_[*wish];
  if (place.leaving) return;
  if (!place.live) return complain("a push before the answer", now);
  switch (heard.kind) {
    case Heard::Kind::publication:
      return take_publication(*wish, heard.publication, now);
    case Heard::Kind::join:
    case Heard::Kind::leave: {
      const auto kind = heard.kind == Heard::Kind::join ? Record::Kind::join : Record::Kind::leave;
      write(kind, *wish, now).text = heard.client;
      // Now and then it leaves a channel and comes back at once, on the same connection.
      if (options_.lies && entropy_.below(16) == 0 && story_.wishes[*wish].made == Wish::Made::by_client) {
        place.live = false;
        place.leaving = true;
        const std::string leaving = unsubscribe_command(*wish);
        send(leaving);
        send(subscribe_command(*wish, now));
      }
      return;
    }
    case Heard::Kind::dismissed:
      write(Record::Kind::unsubscribed, *wish, now).code = heard.code;
      place.live = false;
      if (heard.code >= kResubscribeFrom) send(subscribe_command(*wish, now));
      return;
    default:
      return complain("an unknown push", now);
  }
}

void PlainSpeaker::take_answer(std::size_t wish, const HeardSubscription& heard, base::Instant now) {
  Record& record = write(Record::Kind::answer, wish, now);
  record.place = {heard.epoch, heard.offset};
  record.recovered = heard.recovered;
  record.was_recovering = heard.was_recovering;
  record.recoverable = heard.recoverable;
  record.positioned = heard.positioned;
  record.brought = static_cast<std::uint32_t>(heard.publications.size());
  record.counted = true;
  places_[wish] = {
      .known = true, .live = true, .leaving = false, .place = record.place, .delta = heard.delta, .base = {}};
  if (heard.delta != story_.wishes[wish].delta) return complain("a delta was wanted, or not", now);
  for (const HeardPublication& each : heard.publications) take_publication(wish, each, now);
}

void PlainSpeaker::take_publication(std::size_t wish, const HeardPublication& heard, base::Instant now) {
  Place& place = places_[wish];
  auto data = whole(place, heard);
  if (!data) return complain("a delta does not fit", now);
  Record& record = write(Record::Kind::message, wish, now);
  record.place = {heard.epoch, heard.offset};
  record.text = *std::move(data);
  place.place.offset = heard.offset;
  if (!heard.epoch.empty()) place.place.epoch = heard.epoch;
}

std::optional<std::string> PlainSpeaker::whole(Place& place, const HeardPublication& heard) const {
  if (!place.delta) return heard.delta ? std::nullopt : std::optional(heard.data);
  std::string data = heard.data;
  if (story_.format == Format::json) {
    const auto value = codec::JsonValue::parse(data);
    const auto text = value ? value->string() : std::nullopt;
    if (!text) return std::nullopt;
    data = *text;
  }
  if (heard.delta) {
    auto made = place.base ? patched(*place.base, data) : std::nullopt;
    if (!made) return std::nullopt;
    data = *std::move(made);
  }
  place.base = data;
  return data;
}

std::optional<std::size_t> PlainSpeaker::wish_of(std::string_view channel) const {
  for (std::size_t wish = 0; wish < story_.wishes.size(); ++wish) {
    if (story_.wishes[wish].channel == channel) return wish;
  }
  return std::nullopt;
}

void PlainSpeaker::lose(base::Instant now) { end(0, {}, now); }

void PlainSpeaker::end(std::uint32_t code, std::string_view why, base::Instant now) {
  if (!open_) return;
  open_ = false;
  Record& record = write(Record::Kind::ended, 0, now);
  record.code = code;
  record.text = why;
}

void PlainSpeaker::complain(std::string_view what, base::Instant now) {
  write(Record::Kind::broken, 0, now).text = what;
  end(0, what, now);
}

}  // namespace sim::centrifuge
