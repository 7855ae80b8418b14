// Commands, or in a client replies, from a frame of JSON: objects separated by newlines, one newline after the last
// tolerated. Pure; any thread.
//
//   JsonReader reader(frame);
//   Command command;
//   while (reader.next(command) == Next::command) ...
//
// Strict where a client can only be wrong: valid UTF-8 and JSON, every known member of its type and in its range (1.0
// is no integer), no known member and no key of a map twice (Go's decoder takes the last; no client writes two, and who
// filters in front of us may take the first). Lenient where the protocol is: unknown members are ignored, a null is as
// good as no member (in a `bytes` field it is the value null), line ends may stand between the tokens of an object.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>

#include "codec/json_in.h"
#include "door/centrifuge/decode.h"
#include "door/centrifuge/protocol.h"

namespace door::centrifuge {

class JsonReader {
 public:
  // The frame must outlive the reader and what it decoded. An empty frame is malformed.
  explicit JsonReader(std::string_view frame) : rest_(frame) {}
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // The next command, overwritten as a whole; unspecified unless the answer is `command`. Earlier commands stay valid.
  Next next(Command& command) { return next_of(command); }
  Next next(Reply& reply) { return next_of(reply); }
  // What of the frame has not been read: as a frame of its own it gives what is left.
  std::string_view rest() const { return rest_; }

  // The frame is one bare object instead: the first message of a unidirectional client, the body of POST /emulation.
  // False: malformed.
  bool read(ConnectRequest& request) { return read_whole(request); }
  bool read(EmulationRequest& request) { return read_whole(request); }

 private:
  template <typename Message>
  class Member;

  template <typename Envelope>
  Next next_of(Envelope& envelope);
  template <typename Message>
  bool read_whole(Message& message);
  template <typename Message>
  bool read_text(std::string_view text, Message& message);
  template <typename Message>
  bool read_object(codec::JsonValue value, Message& message);

  template <typename Message>
  bool read_value(codec::JsonValue value, Message& message);
  template <typename Message>
  bool read_value(codec::JsonValue value, std::optional<Message>& message);
  template <typename Element>
  bool read_value(codec::JsonValue value, std::vector<Element>& list);
  template <typename Value>
  bool read_value(codec::JsonValue value, Map<Value>& map);
  bool read_value(codec::JsonValue value, std::string_view& text);
  bool read_value(codec::JsonValue value, Payload& payload);
  bool read_value(codec::JsonValue value, bool& truth);
  bool read_value(codec::JsonValue value, std::uint64_t& number);
  bool read_value(codec::JsonValue value, std::int64_t& number);
  bool read_value(codec::JsonValue value, std::uint32_t& number);
  bool read_value(codec::JsonValue value, std::int32_t& number);

  std::string_view take_object();
  std::string_view keep(std::string text) { return kept_.emplace_front(std::move(text)); }

  std::string_view rest_;
  std::forward_list<std::string> kept_;  // what could not stay in the frame as it is: unescaped, line ends removed
  std::uint32_t elements_ = 0;           // of the command or reply being read
  std::uint32_t elements_max_ = kElementsPerCommandMax;
  int filter_depth_ = 0;
  bool deep_ = false;       // a payload in the object being read may be too deep
  bool line_ends_ = false;  // or have line ends between its tokens
  Next state_ = Next::malformed;
  bool begun_ = false;
};

}  // namespace door::centrifuge
