#include "client/core/centrifuge/arguments.h"

#include <limits>
#include <utility>

#include <wirebird/codes.h>

#include "codec/json_in.h"
#include "codec/utf8.h"

namespace client::centrifuge {
namespace {

using wirebird::Error;
using wirebird::ErrorCode;

Error bad_argument(std::string text) { return {ErrorCode::bad_argument, std::move(text), false}; }

// RFC 9110 section 5.6.2
bool token(std::string_view name) {
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

// Section 5.5, without what is obsolete: a line end would inject more.
bool field_value(std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\t') || byte == 0x7f) return false;
  }
  return true;
}

template <typename... Texts>
std::optional<Error> check_texts(const Texts&... texts) {
  std::optional<Error> wrong;
  ((wrong = wrong ? wrong : check_text(texts.first, texts.second)), ...);
  return wrong;
}

}  // namespace

std::expected<std::string, Error> checked_data(wirebird::Format format, std::string data) {
  if (format == wirebird::Format::protobuf || data.empty()) return data;
  auto json = codec::validate_json(data);
  if (!json) return std::unexpected(bad_argument("The data is not JSON, or deeper than 32 levels."));
  return std::move(*json);
}

std::optional<Error> check_text(std::string_view what, std::string_view text) {
  if (codec::utf8_valid(text)) return std::nullopt;
  return bad_argument(std::string(what) + " is not UTF-8.");
}

std::optional<Error> check_filter(const wirebird::TagsFilter& filter) {
  for (const std::string* text : {&filter.op, &filter.key, &filter.cmp, &filter.val}) {
    if (auto wrong = check_text("The tags filter", *text)) return wrong;
  }
  for (const std::string& val : filter.vals) {
    if (auto wrong = check_text("The tags filter", val)) return wrong;
  }
  for (const wirebird::TagsFilter& node : filter.nodes) {
    if (auto wrong = check_filter(node)) return wrong;
  }
  return std::nullopt;
}

std::optional<Error> check_call(wirebird::Format format, Call& call) {
  return std::visit(
      [format]<typename Kind>(Kind& made) -> std::optional<Error> {
        if constexpr (requires { made.channel; }) {
          if (auto wrong = check_text("The channel", made.channel)) return wrong;
        }
        if constexpr (requires { made.method; }) {
          if (auto wrong = check_text("The method", made.method)) return wrong;
        }
        if constexpr (requires { made.options.since; }) {
          if (made.options.since) return check_text("The epoch", made.options.since->epoch);
        }
        if constexpr (requires { made.data; }) {
          auto data = checked_data(format, std::move(made.data));
          if (!data) return data.error();
          made.data = std::move(*data);
        }
        return std::nullopt;
      },
      call);
}

std::size_t size_of(const Call& call) {
  return std::visit(
      []<typename Kind>(const Kind& made) {
        std::size_t size = sizeof(Call);
        if constexpr (requires { made.channel; }) size += made.channel.size();
        if constexpr (requires { made.method; }) size += made.method.size();
        if constexpr (requires { made.data; }) size += made.data.size();
        return size;
      },
      call);
}

std::optional<Error> check_options(wirebird::ClientOptions& options) {
  const auto wrong = [](std::string text) { return Error{ErrorCode::bad_configuration, std::move(text), false}; };
  auto data = checked_data(options.format, std::move(options.data));
  if (!data) return wrong(data.error().message);
  options.data = std::move(*data);
  using Text = std::pair<std::string_view, std::string_view>;
  if (auto bad = check_texts(Text("The token", options.token), Text("The name", options.name),
                             Text("The version", options.version))) {
    return wrong(bad->message);
  }
  for (const auto& [name, value] : options.headers) {
    if (check_text("", name) || check_text("", value)) return wrong("A header is not UTF-8.");
  }
  for (const auto& [name, value] : options.http_headers) {
    if (!token(name) || !field_value(value)) return wrong("This is no HTTP header: \"" + name + "\".");
  }
  using namespace std::chrono_literals;
  for (const auto time : {options.timeout, options.connect_timeout, options.reconnect_delay_min,
                          options.reconnect_delay_max, options.max_server_ping_delay}) {
    if (time < 1ms || time > 24h) return wrong("Times are from 1 ms to 24 h.");
  }
  if (options.reconnect_delay_max < options.reconnect_delay_min) {
    return wrong("reconnect_delay_max is less than reconnect_delay_min.");
  }
  if (options.message_bytes_max == 0 || options.message_bytes_max > std::numeric_limits<std::int32_t>::max()) {
    return wrong("message_bytes_max is from 1 to 2147483647.");
  }
  return std::nullopt;
}

std::optional<Error> check_options(wirebird::Format format, std::string_view channel,
                                   wirebird::SubscriptionOptions& options) {
  const auto wrong = [](std::string text) { return Error{ErrorCode::bad_configuration, std::move(text), false}; };
  if (channel.empty()) return wrong("A channel has a name.");
  auto data = checked_data(format, std::move(options.data));
  if (!data) return wrong(data.error().message);
  options.data = std::move(*data);
  using Text = std::pair<std::string_view, std::string_view>;
  if (auto bad = check_texts(Text("The channel", channel), Text("The token", options.token),
                             Text("The epoch", options.since ? options.since->epoch : ""))) {
    return wrong(bad->message);
  }
  if (options.tags_filter) {
    if (options.delta != wirebird::SubscriptionOptions::Delta::none) {
      return wrong("Deltas and a tags filter do not go together.");
    }
    if (auto bad = check_filter(*options.tags_filter)) return wrong(bad->message);
  }
  using namespace std::chrono_literals;
  if (options.resubscribe_delay_min < 1ms || options.resubscribe_delay_max < options.resubscribe_delay_min ||
      options.resubscribe_delay_max > 24h) {
    return wrong("The delays are from 1 ms to 24 h, and the larger is the maximum.");
  }
  return std::nullopt;
}

}  // namespace client::centrifuge
