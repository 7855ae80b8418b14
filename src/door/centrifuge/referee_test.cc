// protoc's code for the same protocol as the referee (referee.proto): random messages made by the one are read by the
// other, in Protobuf and in JSON. What is compared goes through a translation of its own, so that a wrong line in
// schema.h cannot hide. Built where the protobuf compiler is there; nothing of it is in the server.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <referee.pb.h>  // made by protoc

#include <algorithm>
#include <limits>
#include <string>

#include "base/entropy.h"
#include "codec/json_in.h"
#include "codec/json_out.h"
#include "door/centrifuge/json_in.h"
#include "door/centrifuge/json_out.h"
#include "door/centrifuge/protobuf_in.h"
#include "door/centrifuge/protobuf_out.h"

namespace door::centrifuge {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::MessageDifferencer;

// --- random messages ---

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : entropy_(seed) {}

  // `one_of`: of the messages among the fields only one is filled, as in an envelope.
  void fill(Message& message, int depth = 0) {
    const auto* descriptor = message.GetDescriptor();
    const bool envelope =
        descriptor->name() == "Command" || descriptor->name() == "Reply" || descriptor->name() == "Push";
    const int chosen = envelope ? static_cast<int>(below(static_cast<std::uint32_t>(descriptor->field_count()))) : -1;
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      const bool alternative = envelope && field->type() == FieldDescriptor::TYPE_MESSAGE;
      if (alternative ? i != chosen : below(2) == 0) continue;
      if (field->is_repeated()) {
        for (std::uint32_t n = depth > 5 ? 0 : below(4); n > 0; --n) add(message, field, depth);
      } else {
        set(message, field, depth);
      }
    }
  }

 private:
  std::uint32_t below(std::uint32_t bound) { return entropy_.below(bound); }

  std::uint64_t number() {  // of every length
    const std::uint64_t wide = std::uint64_t{entropy_.next32()} << 32 | entropy_.next32();
    return below(8) == 0 ? ~std::uint64_t{0} : wide >> below(64);
  }

  std::string text() {
    static constexpr std::string_view kPieces[] = {"a",  "channel", "\"", "\\", "\n", "\r\n", "新",
                                                   "😀", "\x7f",    "/",  "<",  "\t", " ",    "\xe2\x80\xa8"};
    std::string made;
    for (std::uint32_t n = below(6); n > 0; --n) made += kPieces[below(std::size(kPieces))];
    if (below(20) == 0) made.append(200, 'x');
    return made;
  }

  std::string json(int depth = 0) {
    switch (below(depth > 3 ? 4 : 6)) {
      case 0:
        return "null";
      case 1:
        return std::to_string(number()) + ".10";
      case 2:
        return below(2) == 0 ? "true" : "1e3";
      case 3: {
        std::string made;
        codec::append_json_string(made, text());
        return made;
      }
      case 4:
        return "[" + json(depth + 1) + ", " + json(depth + 1) + "]";
      default:
        return "{\"k\" :" + json(depth + 1) + "}";
    }
  }

  void add(Message& message, const FieldDescriptor* field, int depth) {
    const Reflection& to = *message.GetReflection();
    if (field->type() == FieldDescriptor::TYPE_STRING) return to.AddString(&message, field, text());
    Message* added = to.AddMessage(&message, field);
    if (!field->is_map()) return fill(*added, depth + 1);
    // Keys of their own, and no field of an entry is left out, so that messages are equal when their bytes are.
    const FieldDescriptor* key = field->message_type()->map_key();
    added->GetReflection()->SetString(added, key, std::to_string(to.FieldSize(message, field)) + text());
    set(*added, field->message_type()->map_value(), depth);
  }

  void set(Message& message, const FieldDescriptor* field, int depth) {
    const Reflection& to = *message.GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return to.SetBool(&message, field, true);
      case FieldDescriptor::CPPTYPE_UINT32:
        return to.SetUInt32(&message, field, static_cast<std::uint32_t>(number()));
      case FieldDescriptor::CPPTYPE_INT32:
        return to.SetInt32(&message, field, static_cast<std::int32_t>(number()));
      case FieldDescriptor::CPPTYPE_UINT64:
        return to.SetUInt64(&message, field, number());
      case FieldDescriptor::CPPTYPE_INT64:
        return to.SetInt64(&message, field, static_cast<std::int64_t>(number()));
      case FieldDescriptor::CPPTYPE_STRING:
        return to.SetString(&message, field, field->type() == FieldDescriptor::TYPE_BYTES ? json() : text());
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return fill(*to.MutableMessage(&message, field), depth + 1);
      default:
        FAIL() << field->full_name();
    }
  }

  base::SeededEntropy entropy_;
};

// --- the referee's JSON: names and types of its descriptors ---

void write_json(std::string& out, const Message& message);

void write_json(std::string& out, const Message& message, const FieldDescriptor* field, int index) {
  const Reflection& from = *message.GetReflection();
  const bool list = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      out += "true";
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      out += std::to_string(from.GetUInt32(message, field));
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      out += std::to_string(from.GetInt32(message, field));
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      out += std::to_string(from.GetUInt64(message, field));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      out += std::to_string(from.GetInt64(message, field));
      return;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = list ? from.GetRepeatedString(message, field, index) : from.GetString(message, field);
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        out += text;
      } else {
        codec::append_json_string(out, text);
      }
      return;
    }
    default:
      write_json(out, list ? from.GetRepeatedMessage(message, field, index) : from.GetMessage(message, field));
  }
}

void write_json(std::string& out, const Message& message) {
  const Reflection& from = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  from.ListFields(message, &fields);
  out += '{';
  for (const FieldDescriptor* field : fields) {
    if (field != fields.front()) out += ',';
    out += '"' + field->name() + "\":";
    if (!field->is_repeated()) {
      write_json(out, message, field, -1);
      continue;
    }
    out += field->is_map() ? '{' : '[';
    for (int i = 0; i < from.FieldSize(message, field); ++i) {
      if (i > 0) out += ',';
      if (field->is_map()) {
        const Message& entry = from.GetRepeatedMessage(message, field, i);
        const auto& of_entry = *entry.GetReflection();
        const FieldDescriptor* value = field->message_type()->map_value();
        codec::append_json_string(out, of_entry.GetString(entry, field->message_type()->map_key()));
        out += ':';
        write_json(out, entry, value, -1);
      } else {
        write_json(out, message, field, i);
      }
    }
    out += field->is_map() ? '}' : ']';
  }
  out += '}';
}

// False at the first member that the referee does not know or cannot take.
bool read_json(codec::JsonValue value, Message& message);

bool read_json(codec::JsonValue value, Message& message, const FieldDescriptor* field) {
  const Reflection& to = *message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      to.SetBool(&message, field, value.boolean().value());
      return true;
    case FieldDescriptor::CPPTYPE_UINT32:
      to.SetUInt32(&message, field, static_cast<std::uint32_t>(value.unsigned_integer().value()));
      return true;
    case FieldDescriptor::CPPTYPE_INT32:
      to.SetInt32(&message, field, static_cast<std::int32_t>(value.integer().value()));
      return true;
    case FieldDescriptor::CPPTYPE_UINT64:
      to.SetUInt64(&message, field, value.unsigned_integer().value());
      return true;
    case FieldDescriptor::CPPTYPE_INT64:
      to.SetInt64(&message, field, value.integer().value());
      return true;
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool bytes = field->type() == FieldDescriptor::TYPE_BYTES;
      const std::string text = bytes ? std::string(value.raw()) : value.string().value();
      if (field->is_repeated()) {
        to.AddString(&message, field, text);
      } else {
        to.SetString(&message, field, text);
      }
      return true;
    }
    default:
      return read_json(value,
                       field->is_repeated() ? *to.AddMessage(&message, field) : *to.MutableMessage(&message, field));
  }
}

bool read_json(codec::JsonValue value, Message& message) {
  codec::JsonMembers members(value);
  while (const auto member = members.next()) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(member->name);
    if (field == nullptr) return false;
    if (field->is_map()) {
      codec::JsonMembers entries(member->value);
      while (const auto each = entries.next()) {
        Message* entry = message.GetReflection()->AddMessage(&message, field);
        entry->GetReflection()->SetString(entry, field->message_type()->map_key(), each->name);
        if (!read_json(each->value, *entry, field->message_type()->map_value())) return false;
      }
    } else if (field->is_repeated()) {
      codec::JsonElements elements(member->value);
      while (const auto element = elements.next()) {
        if (!read_json(*element, message, field)) return false;
      }
    } else if (!read_json(member->value, message, field)) {
      return false;
    }
  }
  return true;
}

// --- commands: from our structs to the referee's ---

std::string text(std::string_view view) { return std::string(view); }
std::string text(const Payload& payload) { return std::string(payload.bytes); }

void translate(const FilterNode& from, referee::FilterNode& to) {
  to.set_op(text(from.op));
  to.set_key(text(from.key));
  to.set_cmp(text(from.cmp));
  to.set_val(text(from.val));
  for (const std::string_view val : from.vals) to.add_vals(text(val));
  for (const FilterNode& node : from.nodes) translate(node, *to.add_nodes());
}

void translate(const SubscribeRequest& from, referee::SubscribeRequest& to) {
  to.set_channel(text(from.channel));
  to.set_token(text(from.token));
  to.set_recover(from.recover);
  to.set_epoch(text(from.epoch));
  to.set_offset(from.offset);
  to.set_data(text(from.data));
  to.set_positioned(from.positioned);
  to.set_recoverable(from.recoverable);
  to.set_join_leave(from.join_leave);
  to.set_delta(text(from.delta));
  if (from.tf) translate(*from.tf, *to.mutable_tf());
  to.set_flag(from.flag);
  to.set_type(from.type);
  to.set_phase(from.phase);
  to.set_cursor(text(from.cursor));
  to.set_limit(from.limit);
  to.set_asc(from.asc);
}

void translate(const ConnectRequest& from, referee::ConnectRequest& to) {
  to.set_token(text(from.token));
  to.set_data(text(from.data));
  for (const auto& [channel, sub] : from.subs) translate(sub, (*to.mutable_subs())[text(channel)]);
  to.set_name(text(from.name));
  to.set_version(text(from.version));
  for (const auto& [name, value] : from.headers) (*to.mutable_headers())[text(name)] = text(value);
  to.set_flag(from.flag);
  to.set_dict(text(from.dict));
  to.set_profile(text(from.profile));
}

struct Translation {
  referee::Command& to;
  void operator()(std::monostate) {}
  void operator()(const ConnectRequest& from) { translate(from, *to.mutable_connect()); }
  void operator()(const SubscribeRequest& from) { translate(from, *to.mutable_subscribe()); }
  void operator()(const UnsubscribeRequest& from) { to.mutable_unsubscribe()->set_channel(text(from.channel)); }
  void operator()(const PublishRequest& from) {
    to.mutable_publish()->set_channel(text(from.channel));
    to.mutable_publish()->set_data(text(from.data));
    to.mutable_publish()->set_type(from.type);
    to.mutable_publish()->set_key(text(from.key));
    to.mutable_publish()->set_removed(from.removed);
  }
  void operator()(const PresenceRequest& from) { to.mutable_presence()->set_channel(text(from.channel)); }
  void operator()(const PresenceStatsRequest& from) { to.mutable_presence_stats()->set_channel(text(from.channel)); }
  void operator()(const HistoryRequest& from) {
    to.mutable_history()->set_channel(text(from.channel));
    to.mutable_history()->set_limit(from.limit);
    if (from.since) {
      to.mutable_history()->mutable_since()->set_offset(from.since->offset);
      to.mutable_history()->mutable_since()->set_epoch(text(from.since->epoch));
    }
    to.mutable_history()->set_reverse(from.reverse);
  }
  void operator()(const PingRequest&) { to.mutable_ping(); }
  void operator()(const SendRequest& from) { to.mutable_send()->set_data(text(from.data)); }
  void operator()(const RpcRequest& from) {
    to.mutable_rpc()->set_data(text(from.data));
    to.mutable_rpc()->set_method(text(from.method));
  }
  void operator()(const RefreshRequest& from) { to.mutable_refresh()->set_token(text(from.token)); }
  void operator()(const SubRefreshRequest& from) {
    referee::SubRefreshRequest& request = *to.mutable_sub_refresh();
    request.set_channel(text(from.channel));
    request.set_token(text(from.token));
    request.set_type(from.type);
    for (const TrackBatch& batch : from.track) {
      referee::TrackBatch& added = *request.add_track();
      added.set_signature(text(batch.signature));
      for (const KeyedItem& item : batch.items) {
        referee::KeyedItem& each = *added.add_items();
        each.set_key(text(item.key));
        each.set_version(item.version);
      }
    }
    for (const std::string_view key : from.untrack) request.add_untrack(text(key));
  }
};

referee::Command translated(const Command& from) {
  referee::Command to;
  to.set_id(from.id);
  std::visit(Translation{to}, from.request);
  return to;
}

std::string framed(const Message& message) {
  const std::string bytes = message.SerializeAsString();
  std::string frame;
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) frame += static_cast<char>(size | 0x80);
  return frame + static_cast<char>(size) + bytes;
}

std::string_view unframed(std::string_view frame) {
  std::size_t at = 0;
  while ((static_cast<unsigned char>(frame.at(at)) & 0x80) != 0) ++at;
  return frame.substr(at + 1);
}

template <typename Message>
Message parsed(std::string_view bytes) {
  Message message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message;
}

constexpr std::uint64_t kRounds = 3000;

TEST(CentrifugeReferee, ReadsWhatItWrote) {
  for (std::uint64_t seed = 1; seed <= kRounds; ++seed) {
    referee::Command expected;
    Dice(seed).fill(expected);

    const std::string frame = framed(expected);
    ProtobufReader reader(frame);
    Command command;
    ASSERT_EQ(reader.next(command), Next::command) << "seed " << seed;
    ASSERT_TRUE(MessageDifferencer::Equals(translated(command), expected)) << "seed " << seed;

    std::string json;
    write_json(json, expected);
    JsonReader json_reader(json);
    Command same;
    ASSERT_EQ(json_reader.next(same), Next::command) << "seed " << seed << json;
    ASSERT_TRUE(MessageDifferencer::Equals(translated(same), expected)) << "seed " << seed;

    // And what we write of it the referee reads.
    std::string out;
    append_protobuf(out, same);
    ASSERT_TRUE(MessageDifferencer::Equals(parsed<referee::Command>(unframed(out)), expected)) << "seed " << seed;
  }
}

// --- replies: from the referee's structs to ours ---

ClientInfo ours(const referee::ClientInfo& from) {
  return {from.user(), from.client(), {from.conn_info()}, {from.chan_info()}};
}

template <typename Value>
Map<std::string_view> ours(const google::protobuf::Map<std::string, Value>& from)
  requires std::same_as<Value, std::string>
{
  return {from.begin(), from.end()};
}

Publication ours(const referee::Publication& from) {
  Publication to{.data = {from.data()},
                 .offset = from.offset(),
                 .tags = ours(from.tags()),
                 .delta = from.delta(),
                 .time = from.time(),
                 .channel = from.channel(),
                 .key = from.key(),
                 .removed = from.removed(),
                 .score = from.score(),
                 .epoch = from.epoch(),
                 .prev_data = {from.prev_data()},
                 .version = from.version()};
  if (from.has_info()) to.info = ours(from.info());
  return to;
}

std::vector<Publication> ours(const google::protobuf::RepeatedPtrField<referee::Publication>& from) {
  std::vector<Publication> to;
  for (const referee::Publication& each : from) to.push_back(ours(each));
  return to;
}

SubscribeResult ours(const referee::SubscribeResult& from) {
  return {.expires = from.expires(),
          .ttl = from.ttl(),
          .recoverable = from.recoverable(),
          .epoch = from.epoch(),
          .publications = ours(from.publications()),
          .recovered = from.recovered(),
          .offset = from.offset(),
          .positioned = from.positioned(),
          .data = {from.data()},
          .was_recovering = from.was_recovering(),
          .delta = from.delta(),
          .id = from.id(),
          .type = from.type(),
          .phase = from.phase(),
          .cursor = from.cursor(),
          .state = ours(from.state()),
          .publish_debounce = from.publish_debounce()};
}

template <typename Value>
auto ours(const google::protobuf::Map<std::string, Value>& from)
  requires(!std::same_as<Value, std::string>)
{
  Map<decltype(ours(std::declval<const Value&>()))> to;
  for (const auto& [key, value] : from) to.emplace_back(key, ours(value));
  return to;
}

ConnectResult ours(const referee::ConnectResult& from) {
  ConnectResult to{.client = from.client(),
                   .version = from.version(),
                   .expires = from.expires(),
                   .ttl = from.ttl(),
                   .data = {from.data()},
                   .subs = ours(from.subs()),
                   .ping = from.ping(),
                   .pong = from.pong(),
                   .session = from.session(),
                   .node = from.node(),
                   .time = from.time(),
                   .flag = from.flag()};
  if (from.has_dict()) to.dict = Dictionary{from.dict().id(), {from.dict().data()}, from.dict().data_b64()};
  return to;
}

template <typename To>
To ours_with_info(const auto& from) {
  To to;
  if (from.has_info()) to.info = ours(from.info());
  return to;
}

Push ours(const referee::Push& from) {
  Push to{from.id(), from.channel(), {}};
  if (from.has_pub()) to.body = ours(from.pub());
  if (from.has_join()) to.body = ours_with_info<JoinPush>(from.join());
  if (from.has_leave()) to.body = ours_with_info<LeavePush>(from.leave());
  if (from.has_unsubscribe()) to.body = UnsubscribePush{from.unsubscribe().code(), from.unsubscribe().reason()};
  if (from.has_message()) to.body = MessagePush{{from.message().data()}};
  if (from.has_subscribe()) {
    const auto& push = from.subscribe();
    to.body = SubscribePush{push.recoverable(), push.epoch(), push.offset(), push.positioned(), {push.data()}};
  }
  if (from.has_connect()) {
    const auto& push = from.connect();
    to.body = ConnectPush{.client = push.client(),
                          .version = push.version(),
                          .data = {push.data()},
                          .subs = ours(push.subs()),
                          .expires = push.expires(),
                          .ttl = push.ttl(),
                          .ping = push.ping(),
                          .pong = push.pong(),
                          .session = push.session(),
                          .node = push.node(),
                          .time = push.time()};
  }
  if (from.has_disconnect()) {
    to.body = DisconnectPush{from.disconnect().code(), from.disconnect().reason(), from.disconnect().reconnect()};
  }
  if (from.has_refresh()) to.body = RefreshPush{from.refresh().expires(), from.refresh().ttl()};
  return to;
}

Reply ours(const referee::Reply& from) {
  Reply to{.id = from.id()};
  if (from.has_error()) to.error = ReplyError{from.error().code(), from.error().message(), from.error().temporary()};
  if (from.has_push()) to.body = ours(from.push());
  if (from.has_connect()) to.body = ours(from.connect());
  if (from.has_subscribe()) to.body = ours(from.subscribe());
  if (from.has_unsubscribe()) to.body = UnsubscribeResult{};
  if (from.has_publish()) to.body = PublishResult{};
  if (from.has_presence()) to.body = PresenceResult{ours(from.presence().presence())};
  if (from.has_presence_stats()) {
    to.body = PresenceStatsResult{from.presence_stats().num_clients(), from.presence_stats().num_users()};
  }
  if (from.has_history()) {
    to.body = HistoryResult{ours(from.history().publications()), from.history().epoch(), from.history().offset()};
  }
  if (from.has_ping()) to.body = PingResult{};
  if (from.has_rpc()) to.body = RpcResult{{from.rpc().data()}};
  if (from.has_refresh()) {
    const auto& result = from.refresh();
    to.body = RefreshResult{result.client(), result.version(), result.expires(), result.ttl()};
  }
  if (from.has_sub_refresh()) {
    const auto& result = from.sub_refresh();
    to.body = SubRefreshResult{result.expires(), result.ttl(), ours(result.items())};
  }
  return to;
}

TEST(CentrifugeReferee, ReadsWhatWeWrote) {
  for (std::uint64_t seed = 1; seed <= kRounds; ++seed) {
    referee::Reply expected;
    Dice(seed).fill(expected);
    const Reply reply = ours(expected);

    std::string frame;
    append_protobuf(frame, reply);
    ASSERT_TRUE(MessageDifferencer::Equals(parsed<referee::Reply>(unframed(frame)), expected)) << "seed " << seed;
    ASSERT_EQ(frame.size(), framed(expected).size()) << "seed " << seed;

    std::string json;
    append_json(json, reply);
    const auto value = codec::JsonValue::parse(json);
    ASSERT_TRUE(value) << "seed " << seed << json;
    referee::Reply read;
    ASSERT_TRUE(read_json(*value, read)) << "seed " << seed << json;
    ASSERT_TRUE(MessageDifferencer::Equals(read, expected)) << "seed " << seed << json;

    if (const auto* push = std::get_if<Push>(&reply.body)) {
      std::string bare;
      append_protobuf_bare(bare, *push);
      ASSERT_TRUE(MessageDifferencer::Equals(parsed<referee::Push>(bare), expected.push())) << "seed " << seed;
    }
  }
}

// Maps come sorted from our readers, and in any order from the referee.
template <typename Value>
Map<Value> sorted(Map<Value> map) {
  std::ranges::sort(map, {}, [](const auto& entry) { return entry.first; });
  return map;
}

void sort_maps(Publication& publication) { publication.tags = sorted(std::move(publication.tags)); }

void sort_maps(std::vector<Publication>& publications) {
  for (Publication& each : publications) sort_maps(each);
}

void sort_maps(SubscribeResult& result) {
  sort_maps(result.publications);
  sort_maps(result.state);
}

void sort_maps(Map<SubscribeResult>& subs) {
  for (auto& [channel, each] : subs) sort_maps(each);
  subs = sorted(std::move(subs));
}

void sort_maps(Reply& reply) {
  if (auto* push = std::get_if<Push>(&reply.body)) {
    if (auto* publication = std::get_if<Publication>(&push->body)) sort_maps(*publication);
    if (auto* connect = std::get_if<ConnectPush>(&push->body)) sort_maps(connect->subs);
  }
  if (auto* connect = std::get_if<ConnectResult>(&reply.body)) sort_maps(connect->subs);
  if (auto* subscribe = std::get_if<SubscribeResult>(&reply.body)) sort_maps(*subscribe);
  if (auto* presence = std::get_if<PresenceResult>(&reply.body)) presence->presence = sorted(presence->presence);
  if (auto* history = std::get_if<HistoryResult>(&reply.body)) sort_maps(history->publications);
  if (auto* refresh = std::get_if<SubRefreshResult>(&reply.body)) sort_maps(refresh->items);
}

// The other direction, a client's: replies made by the referee and read by us.
TEST(CentrifugeReferee, WeReadItsReplies) {
  for (std::uint64_t seed = 1; seed <= kRounds; ++seed) {
    referee::Reply made;
    Dice(seed).fill(made);
    Reply expected = ours(made);
    sort_maps(expected);

    std::string json;
    write_json(json, made);
    JsonReader json_reader(json);
    Reply read;
    ASSERT_EQ(json_reader.next(read), Next::reply) << "seed " << seed << json;
    ASSERT_TRUE(read == expected) << "seed " << seed << json;
    ASSERT_EQ(json_reader.next(read), Next::end) << "seed " << seed;

    // Payloads from Protobuf are of no kind, so what was read is written again and judged.
    const std::string frame = framed(made);
    ProtobufReader reader(frame);
    ASSERT_EQ(reader.next(read), Next::reply) << "seed " << seed;
    std::string out;
    append_protobuf(out, read);
    ASSERT_TRUE(MessageDifferencer::Equals(parsed<referee::Reply>(unframed(out)), made)) << "seed " << seed;
    ASSERT_EQ(reader.next(read), Next::end) << "seed " << seed;
  }
}

// Whatever bytes both take they understand alike; what only one takes is one of the differences that protobuf_in.h
// names.
TEST(CentrifugeReferee, UnderstandsBrokenBytesAlike) {
  std::uint64_t both = 0;
  for (std::uint64_t seed = 1; seed <= kRounds * 10; ++seed) {
    referee::Command whole;
    Dice(seed % kRounds).fill(whole);
    std::string bytes = whole.SerializeAsString();
    base::SeededEntropy entropy(seed);
    for (std::uint32_t n = 1 + entropy.below(3); n > 0 && !bytes.empty(); --n) {
      const std::size_t at = entropy.below(static_cast<std::uint32_t>(bytes.size()));
      if (entropy.below(2) == 0) {
        bytes[at] = static_cast<char>(entropy.next32());
      } else {
        bytes.erase(at, 1 + entropy.below(4));
      }
    }
    std::string frame;
    std::size_t size = bytes.size();
    for (; size >= 0x80; size >>= 7) frame += static_cast<char>(size | 0x80);
    frame += static_cast<char>(size);
    frame += bytes;
    ProtobufReader reader(frame);
    Command command;
    if (reader.next(command) != Next::command) continue;
    referee::Command judged;
    ASSERT_TRUE(judged.ParseFromString(bytes)) << "seed " << seed;
    // Of several requests we keep one.
    const google::protobuf::Descriptor& descriptor = *referee::Command::descriptor();
    bool first = true;
    for (int i = 0; i < descriptor.field_count(); ++i) {
      const FieldDescriptor* field = descriptor.field(i);
      if (field->type() != FieldDescriptor::TYPE_MESSAGE || !judged.GetReflection()->HasField(judged, field)) continue;
      if (!first) judged.GetReflection()->ClearField(&judged, field);
      first = false;
    }
    judged.DiscardUnknownFields();
    ASSERT_TRUE(MessageDifferencer::Equals(translated(command), judged)) << "seed " << seed;
    ++both;
  }
  EXPECT_GT(both, kRounds);
}

}  // namespace
}  // namespace door::centrifuge
