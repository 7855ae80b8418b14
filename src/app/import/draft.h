// What an import has so far: settings of ours, remarks that go into the file with them, and findings for the person.
// The source's values are handed over one by one; whether one is taken is for the option table to say, so that nothing
// gets into the file that the server would refuse there.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/import/tree.h"
#include "app/option_table.h"
#include "app/settings.h"

namespace app::import {

struct Finding {
  enum class Kind : std::uint8_t {
    changed,   // carried over, and means something else or needs a look
    left_out,  // known, and has no equivalent
    unknown,   // not known
  } kind;
  std::string key;  // of the source: "client.token.jwks_public_endpoint"
  std::string why;
  friend bool operator==(const Finding&, const Finding&) = default;
};

class Draft {
 public:
  Settings settings;

  void changed(std::string_view key, std::string why) { add(Finding::Kind::changed, key, std::move(why)); }
  void left_out(std::string_view key, std::string why) { add(Finding::Kind::left_out, key, std::move(why)); }
  void unknown(std::string_view key, std::string why = {}) { add(Finding::Kind::unknown, key, std::move(why)); }

  // Sets an option of the server, or one of a namespace by its key in [channels], from the value of the source's
  // `key`. A value that is not taken becomes a finding, without the value if that is a secret.
  bool set(std::string_view option, const Tree& value, std::string_view key);
  bool set_in(server::NamespaceOptions& space, std::string_view option, const Tree& value, std::string_view key);
  bool set_in_hook(server::HookOptions& hook, std::string_view name, const Tree& value, std::string_view key);

  // A line above `option` in the file ("auth.token_keys", "namespaces.chat.channel_pattern"), without the `# `.
  void remark(const std::string& option, std::string line) { remarks_[option].push_back(std::move(line)); }

  const std::vector<Finding>& findings() const { return findings_; }
  const std::vector<std::string>* remarks_of(const std::string& option) const;

 private:
  bool assign_texts(const Option& option, Target target, const Tree& value, std::string_view key);
  void add(Finding::Kind kind, std::string_view key, std::string why) {
    findings_.push_back({kind, std::string(key), std::move(why)});
  }

  std::vector<Finding> findings_;
  std::map<std::string, std::vector<std::string>> remarks_;
};

// The text of a text, number or switch; nullopt for anything else.
std::optional<std::string> text_of_scalar(const Tree& value);
// The texts of a list of texts, or the words of one text.
std::optional<std::vector<std::string>> texts_of_list(const Tree& value);
bool is_on(const Tree* value);  // true, 1, "true", "1"; false if there is none
std::optional<std::int64_t> number_of(const Tree& value);

// As Go writes durations: "1h30m", "1.5s", "0". nullopt: it is none, or below zero.
std::optional<base::Duration> go_duration(std::string_view text);

}  // namespace app::import
