// Questions of hooks as JSON. Members whose value is empty are left out, as the back ends that exist expect. Texts
// must be valid UTF-8, payloads of kind json valid JSON. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "door/hook/messages.h"

namespace door::hook {

struct RequestForm {
  // How payloads travel: in place ("data"), or as base64 of their bytes ("b64data"). A binary payload is never put in
  // place: it would be no JSON.
  enum class Payloads : std::uint8_t { in_place, base64 } payloads = Payloads::in_place;
  enum class Meta : std::uint8_t { leave_out, include } meta = Meta::leave_out;
};

std::string to_json(const ConnectRequest& request, const RequestForm& form);
std::string to_json(const RefreshRequest& request, const RequestForm& form);
std::string to_json(const SubscribeRequest& request, const RequestForm& form);
std::string to_json(const SubRefreshRequest& request, const RequestForm& form);
std::string to_json(const PublishRequest& request, const RequestForm& form);
std::string to_json(const RpcRequest& request, const RequestForm& form);
std::string to_json(const CacheEmptyRequest& request, const RequestForm& form);

}  // namespace door::hook
