#include "door/payload_format.h"

namespace door {
namespace {

using base::Error;
using base::Refusal;
using Verdict = std::expected<void, Refusal>;

bool is_object(std::string_view json) {
  const std::size_t first = json.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && json[first] == '{';
}

}  // namespace

Verdict check_payload(PayloadFormat format, hub::Kind kind, std::string_view payload) {
  switch (format) {
    case PayloadFormat::any:
      return {};
    case PayloadFormat::json:
      return kind == hub::Kind::json ? Verdict{} : std::unexpected(Refusal(Error::payload_format, "They take JSON."));
    case PayloadFormat::json_object:
      return kind == hub::Kind::json && is_object(payload)
                 ? Verdict{}
                 : std::unexpected(Refusal(Error::payload_format, "They take JSON objects."));
    case PayloadFormat::binary:
      break;
  }
  return kind == hub::Kind::binary ? Verdict{} : std::unexpected(Refusal(Error::payload_format, "They take bytes."));
}

}  // namespace door
