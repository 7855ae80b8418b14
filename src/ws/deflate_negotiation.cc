#include "ws/deflate_negotiation.h"

#include <algorithm>

#include "ws/deflate.h"

namespace ws {
namespace {

constexpr std::string_view kName = "permessage-deflate";

struct Parameters {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::optional<std::uint8_t> server_max_window_bits;
  std::optional<std::uint8_t> client_max_window_bits;
};

enum class Message : std::uint8_t { offer, answer };

// Section 7.1.2.1: 8 to 15, without leading zeroes.
std::optional<std::uint8_t> window_bits(std::string_view value) {
  if (value == "8" || value == "9") return static_cast<std::uint8_t>(value[0] - '0');
  if (value.size() == 2 && value[0] == '1' && value[1] >= '0' && value[1] <= '5') {
    return static_cast<std::uint8_t>(10 + value[1] - '0');
  }
  return std::nullopt;
}

bool take_flag(const ExtensionParameter& parameter, bool& flag) {
  if (parameter.value.has_value() || flag) return false;
  flag = true;
  return true;
}

bool take_bits(const ExtensionParameter& parameter, std::optional<std::uint8_t>& bits) {
  if (!parameter.value.has_value() || bits.has_value()) return false;
  bits = window_bits(*parameter.value);
  return bits.has_value();
}

bool take_parameter(const ExtensionParameter& parameter, Message message, Parameters& taken) {
  if (parameter.name == "server_no_context_takeover") return take_flag(parameter, taken.server_no_context_takeover);
  if (parameter.name == "client_no_context_takeover") return take_flag(parameter, taken.client_no_context_takeover);
  if (parameter.name == "server_max_window_bits") return take_bits(parameter, taken.server_max_window_bits);
  if (parameter.name == "client_max_window_bits") {
    // In an offer it may stand without a value: "I would follow any".
    if (message == Message::offer && !parameter.value.has_value() && !taken.client_max_window_bits.has_value()) {
      taken.client_max_window_bits = kInflateBitsMax;
      return true;
    }
    return take_bits(parameter, taken.client_max_window_bits);
  }
  return false;
}

std::optional<Parameters> read_parameters(const Extension& extension, Message message) {
  if (extension.name != kName) return std::nullopt;
  Parameters taken;
  for (const ExtensionParameter& each : extension.parameters) {
    if (!take_parameter(each, message, taken)) return std::nullopt;
  }
  return taken;
}

}  // namespace

std::optional<DeflateAnswer> answer_deflate(const Extension& offer, ContextTakeover context_takeover) {
  const std::optional<Parameters> offered = read_parameters(offer, Message::offer);
  if (!offered.has_value()) return std::nullopt;
  if (offered->server_max_window_bits.value_or(kInflateBitsMax) < kDeflateBitsMin) return std::nullopt;

  DeflateAnswer answer;
  DeflateParams& params = answer.params;
  params.enabled = true;
  const bool never = context_takeover == ContextTakeover::no;
  params.server_no_context_takeover = never || offered->server_no_context_takeover;
  params.client_no_context_takeover = never || offered->client_no_context_takeover;
  params.server_max_window_bits = offered->server_max_window_bits.value_or(kInflateBitsMax);
  params.client_max_window_bits = offered->client_max_window_bits.value_or(kInflateBitsMax);
  // An inflater that lives as long as the connection gets a small window where the client lets us choose (T04).
  if (offered->client_max_window_bits.has_value() && !params.client_no_context_takeover) {
    params.client_max_window_bits = std::min(params.client_max_window_bits, kDeflateBitsMax);
  }

  answer.extension = kName;
  const auto add_flag = [&](bool flag, std::string_view name) {
    if (flag) answer.extension.append("; ").append(name);
  };
  const auto add_bits = [&](std::uint8_t bits, std::string_view name) {
    answer.extension.append("; ").append(name).append("=").append(std::to_string(bits));
  };
  add_flag(params.server_no_context_takeover, "server_no_context_takeover");
  add_flag(params.client_no_context_takeover, "client_no_context_takeover");
  // Section 7.1.2.1: an offer with this parameter is accepted by answering it, 15 too.
  if (offered->server_max_window_bits) add_bits(params.server_max_window_bits, "server_max_window_bits");
  // Section 7.1.2.2: a client window may be answered only if it was offered, and need not be if it stays as large as
  // can be.
  if (params.client_max_window_bits < kInflateBitsMax)
    add_bits(params.client_max_window_bits, "client_max_window_bits");
  return answer;
}

std::optional<DeflateParams> take_deflate_answer(const Extension& answer) {
  const std::optional<Parameters> taken = read_parameters(answer, Message::answer);
  if (!taken.has_value()) return std::nullopt;
  return DeflateParams{.enabled = true,
                       .server_no_context_takeover = taken->server_no_context_takeover,
                       .client_no_context_takeover = taken->client_no_context_takeover,
                       .server_max_window_bits = taken->server_max_window_bits.value_or(kInflateBitsMax),
                       .client_max_window_bits = taken->client_max_window_bits.value_or(kInflateBitsMax)};
}

}  // namespace ws
