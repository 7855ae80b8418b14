#include "sim/centrifuge/heard.h"

namespace sim::centrifuge {
namespace {

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// The fields of one message. What is cut short ends the walk with broken().
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}
  bool next() {
    if (rest_.empty() || broken_) return false;
    broken_ = true;
    const auto key = take_varint(rest_);
    if (!key) return false;
    number = static_cast<unsigned>(*key >> 3);
    bytes = {};
    const auto amount = take_varint(rest_);  // the value, or the length of the bytes
    if (!amount) return false;
    value = *amount;
    if ((*key & 7) == 2) {
      if (value > rest_.size()) return false;
      bytes = rest_.substr(0, value);
      rest_.remove_prefix(value);
    } else if ((*key & 7) != 0) {
      return false;  // the protocol has no other wire types
    }
    broken_ = false;
    return true;
  }
  bool broken() const { return broken_; }

  unsigned number = 0;
  std::uint64_t value = 0;
  std::string_view bytes;

 private:
  std::string_view rest_;
  bool broken_ = false;
};

HeardPublication publication_of(std::string_view message) {
  HeardPublication heard;
  for (Fields field(message); field.next();) {
    if (field.number == 4) heard.data = field.bytes;
    if (field.number == 6) heard.offset = field.value;
    if (field.number == 8) heard.delta = field.value != 0;
    if (field.number == 14) heard.epoch = field.bytes;
  }
  return heard;
}

HeardSubscription subscription_of(std::string_view message) {
  HeardSubscription heard;
  for (Fields field(message); field.next();) {
    if (field.number == 3) heard.recoverable = field.value != 0;
    if (field.number == 6) heard.epoch = field.bytes;
    if (field.number == 7) heard.publications.push_back(publication_of(field.bytes));
    if (field.number == 8) heard.recovered = field.value != 0;
    if (field.number == 9) heard.offset = field.value;
    if (field.number == 10) heard.positioned = field.value != 0;
    if (field.number == 12) heard.was_recovering = field.value != 0;
    if (field.number == 13) heard.delta = field.value != 0;
  }
  return heard;
}

void take_connect(std::string_view message, Heard& heard) {
  heard.kind = Heard::Kind::connected;
  for (Fields field(message); field.next();) {
    if (field.number == 8) heard.pong = field.value != 0;
    if (field.number != 6) continue;
    auto& [channel, subscription] = heard.subscriptions.emplace_back();
    for (Fields entry(field.bytes); entry.next();) {
      if (entry.number == 1) channel = entry.bytes;
      if (entry.number == 2) subscription = subscription_of(entry.bytes);
    }
  }
}

std::string client_of(std::string_view message) {
  std::string client = "?";
  for (Fields field(message); field.next();) {
    if (field.number != 1) continue;
    for (Fields info(field.bytes); info.next();) {
      if (info.number == 2) client = info.bytes;
    }
  }
  return client;
}

void take_push(std::string_view message, Heard& heard) {
  heard.kind = Heard::Kind::other;
  for (Fields field(message); field.next();) {
    switch (field.number) {
      case 2:
        heard.channel = field.bytes;
        break;
      case 4:
        heard.kind = Heard::Kind::publication;
        heard.publication = publication_of(field.bytes);
        break;
      case 5:
      case 6:
        heard.kind = field.number == 5 ? Heard::Kind::join : Heard::Kind::leave;
        heard.client = client_of(field.bytes);
        break;
      case 7:
        heard.kind = Heard::Kind::dismissed;
        for (Fields each(field.bytes); each.next();) {
          if (each.number == 2) heard.code = static_cast<std::uint32_t>(each.value);
        }
        break;
      default:
        break;
    }
  }
}

bool take_reply(std::string_view message, Heard& heard) {
  Fields field(message);
  while (field.next()) {
    switch (field.number) {
      case 1:
        heard.id = static_cast<std::uint32_t>(field.value);
        break;
      case 2:
        heard.kind = Heard::Kind::other;
        heard.error = 1;
        for (Fields each(field.bytes); each.next();) {
          if (each.number == 1) heard.error = static_cast<std::uint32_t>(each.value);
        }
        break;
      case 4:
        take_push(field.bytes, heard);
        break;
      case 5:
        take_connect(field.bytes, heard);
        break;
      case 6:
        heard.kind = Heard::Kind::subscribed;
        heard.subscription = subscription_of(field.bytes);
        break;
      case 7:
        heard.kind = Heard::Kind::unsubscribed;
        break;
      default:
        heard.kind = Heard::Kind::other;
    }
  }
  return !field.broken();
}

}  // namespace

std::optional<std::vector<Heard>> hear_protobuf(std::string_view frame) {
  std::vector<Heard> all;
  while (!frame.empty()) {
    const auto length = take_varint(frame);
    if (!length || *length > frame.size()) return std::nullopt;
    if (!take_reply(frame.substr(0, *length), all.emplace_back())) return std::nullopt;
    frame.remove_prefix(*length);
  }
  return all;
}

}  // namespace sim::centrifuge
