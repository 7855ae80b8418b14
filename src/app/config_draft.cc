#include "app/config_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace app {

void ConfigDraft::refuse(std::string where, std::string message) {
  if (!full()) errors_.push_back({std::move(where), std::move(message)});
}

void ConfigDraft::refuse_key(const std::string& key, const std::string& message) {
  const auto origin = origins_.find(key);
  refuse(origin == origins_.end() ? key : origin->second, fmt::format("{} {}", key, message));
}

server::NamespaceOptions& ConfigDraft::namespace_named(const std::string& name) {
  const auto found = std::ranges::find(settings.namespaces, name, &server::NamespaceOptions::name);
  if (found != settings.namespaces.end()) return *found;
  return settings.namespaces.emplace_back(server::NamespaceOptions{.name = name});
}

void ConfigDraft::set(const Option& option, const std::vector<std::string>& texts, const std::string& where) {
  assign_or_refuse(option, {settings, settings.channels}, std::string(option.key), texts, where);
}

void ConfigDraft::set_in_namespace(const std::string& space, const Option& option,
                                   const std::vector<std::string>& texts, const std::string& where) {
  assign_or_refuse(option, {settings, namespace_named(space)}, fmt::format("namespaces.{}.{}", space, option.name()),
                   texts, where);
}

void ConfigDraft::set_in_table(const NamedTable& table, const std::string& name, const Option& option,
                               const std::vector<std::string>& texts, const std::string& where) {
  Target target{settings, settings.channels};
  table.bind(target, name);
  assign_or_refuse(option, target, fmt::format("{}.{}.{}", table.section, name, option.name()), texts, where);
}

void ConfigDraft::assign_or_refuse(const Option& option, const Target& target, const std::string& key,
                                   const std::vector<std::string>& texts, const std::string& where) {
  const auto assigned = assign(option, target, texts);
  if (!assigned) return refuse(where, fmt::format("{}: {}", key, assigned.error()));
  origins_.insert_or_assign(key, where);
}

}  // namespace app
