// One hook of the configuration as the workers use it: the options, and what is read from them once. Immutable.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "door/hook/status_rule.h"
#include "egress/egress.h"
#include "server/options.h"

namespace server {

struct Hook {
  HookOptions options;
  std::vector<egress::Header> headers;  // that every request of it carries
  std::vector<door::hook::StatusRule> rules;

  // The error is a text for the operator that begins with the key.
  static std::expected<Hook, std::string> make(const HookOptions& options);
};

// "Name: value". The error is the end of a sentence that begins with what the text is called; it quotes nothing.
std::expected<egress::Header, std::string_view> parse_header(std::string_view text);

// Whether a client's header of that name may be handed on: no name that frames the request or belongs to one hop.
bool may_forward(std::string_view name);

}  // namespace server
