// A configuration while it is being read: the settings so far, where each key was set, and everything that is wrong.
// The three readers write into it, one after the other; resolve() makes options of it.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"
#include "app/named_tables.h"
#include "app/settings.h"

namespace app {

class ConfigDraft {
 public:
  Settings settings;

  // Sets an option of the server or of the default namespace, or of `space` (a name in settings.namespaces).
  void set(const Option& option, const std::vector<std::string>& texts, const std::string& where);
  void set_in_namespace(const std::string& space, const Option& option, const std::vector<std::string>& texts,
                        const std::string& where);
  // Of an entry of a table that has several (named_tables.h).
  void set_in_table(const NamedTable& table, const std::string& name, const Option& option,
                    const std::vector<std::string>& texts, const std::string& where);
  server::NamespaceOptions& namespace_named(const std::string& name);

  // Keeps the first kErrorsMax: nobody reads more, and each costs a search for the word that was meant.
  void refuse(std::string where, std::string message);
  static constexpr std::size_t kErrorsMax = 20;
  bool full() const { return errors_.size() >= kErrorsMax; }
  // The same, at the place where `key` was set, or at the key itself if it has its default.
  void refuse_key(const std::string& key, const std::string& message);

  // Where a table began, for refuse_key() about what is missing in it.
  void note_place(const std::string& key, const std::string& where) { origins_.insert_or_assign(key, where); }

  bool was_set(const std::string& key) const { return origins_.contains(key); }
  std::vector<ConfigError>& errors() { return errors_; }

 private:
  void assign_or_refuse(const Option& option, const Target& target, const std::string& key,
                        const std::vector<std::string>& texts, const std::string& where);

  std::map<std::string, std::string, std::less<>> origins_;  // key -> where
  std::vector<ConfigError> errors_;
};

void read_file(ConfigDraft& draft, const std::string& path, std::string_view text);
void read_environment(ConfigDraft& draft, const Environment& environment);
void read_flags(ConfigDraft& draft, const std::vector<FlagValue>& flags);

// Reads the key files, checks everything that needs more than one value, builds the listeners. `runs_in_dev` as in
// ConfigSources.
server::Options resolve(ConfigDraft& draft, const Files& files, std::optional<bool> runs_in_dev);

}  // namespace app
