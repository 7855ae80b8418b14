#include "door/centrifuge/json_out.h"

#include <concepts>

#include "base/assert.h"
#include "codec/base64.h"
#include "codec/json_out.h"
#include "door/centrifuge/schema.h"

namespace door::centrifuge {
namespace {

// Appends one message. A visitor of schema.h.
class JsonFields {
 public:
  explicit JsonFields(std::string& out) : out_(out) {}

  template <typename Field>
  void operator()(int, const char* name, const Field& field) {
    if (!absent(field)) member(name, field);
  }
  template <typename Field>
  void operator()(int, const char* name, const Field& field, Always) {
    member(name, field);
  }
  void zigzag(int number, const char* name, std::int64_t field) { operator()(number, name, field); }
  void bytes(int number, const char* name, std::string_view field) { operator()(number, name, field); }
  template <typename Message, typename Variant>
  void one_of(int, const char* name, const Variant& variant) {
    if (const auto* message = std::get_if<Message>(&variant)) member(name, *message);
  }

  template <typename Message>
  void value(const Message& message) {
    out_ += '{';
    fields(*this, message);
    out_ += '}';
  }

 private:
  static bool absent(std::integral auto number) { return number == 0; }
  static bool absent(std::string_view text) { return text.empty(); }
  static bool absent(const Payload& payload) { return payload.absent(); }
  template <typename Message>
  static bool absent(const std::optional<Message>& message) {
    return !message;
  }
  template <typename Element>
  static bool absent(const std::vector<Element>& list) {
    return list.empty();
  }

  template <typename Field>
  void member(const char* name, const Field& field) {
    separate();
    out_ += '"';
    out_ += name;  // of schema.h: no escapes
    out_ += "\":";
    value(field);
  }

  // No value ends with an opening bracket.
  void separate() {
    if (out_.back() != '{' && out_.back() != '[') out_ += ',';
  }

  void value(bool truth) { out_ += truth ? "true" : "false"; }
  void value(std::uint64_t number) { codec::append_json_number(out_, number); }
  void value(std::int64_t number) { codec::append_json_number(out_, number); }
  void value(std::uint32_t number) { codec::append_json_number(out_, std::uint64_t{number}); }
  void value(std::int32_t number) { codec::append_json_number(out_, std::int64_t{number}); }
  void value(std::string_view text) { codec::append_json_string(out_, text); }

  void value(const Payload& payload) {
    switch (payload.kind) {
      case hub::Kind::json:
        ASSERT_SLOW(payload.bytes.find('\n') == std::string_view::npos);  // it would end the object for the client
        out_ += payload.absent() ? std::string_view("null") : payload.bytes;
        return;
      case hub::Kind::text:
        codec::append_json_string(out_, payload.bytes);
        return;
      case hub::Kind::binary:
        out_ += "{\"base64\":\"";
        out_ += codec::base64_encode(payload.bytes);
        out_ += "\"}";
        return;
    }
  }

  template <typename Message>
  void value(const std::optional<Message>& message) {
    value(*message);
  }
  template <typename Element>
  void value(const std::vector<Element>& list) {
    out_ += '[';
    for (const Element& element : list) {
      separate();
      value(element);
    }
    out_ += ']';
  }
  template <typename Value>
  void value(const Map<Value>& map) {
    out_ += '{';
    for (const auto& [key, each] : map) {
      separate();
      codec::append_json_string(out_, key);
      out_ += ':';
      value(each);
    }
    out_ += '}';
  }

  std::string& out_;
};

}  // namespace

void append_json(std::string& out, const Reply& reply) { JsonFields(out).value(reply); }
void append_json(std::string& out, const Push& push) { JsonFields(out).value(push); }
void append_json(std::string& out, const Command& command) { JsonFields(out).value(command); }

}  // namespace door::centrifuge
