// The three readers. Those of TOML and YAML throw; nothing of it leaves this file.
#include <fmt/format.h>
#include <toml++/toml.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "app/import/tree.h"
#include "codec/json_in.h"
#include "codec/utf8.h"

namespace app::import {
namespace {

constexpr std::string_view kTooMany = "has more values than a configuration can have";
constexpr std::string_view kTooDeep = "is nested too deeply";

// Counts what is made. One per document.
class Budget {
 public:
  bool one_more() { return ++nodes_ <= kNodesMax; }

 private:
  std::size_t nodes_ = 0;
};

using Made = std::expected<Tree, std::string>;

bool has(const Tree::Table& table, std::string_view name) {
  for (const auto& [each, value] : table) {
    if (each == name) return true;
  }
  return false;
}

std::string twice(std::string_view name) { return fmt::format("has the key {} twice", name); }

// --- JSON

Made from_json(const codec::JsonValue& json, Budget& budget) {
  if (!budget.one_more()) return std::unexpected(std::string(kTooMany));
  using Type = codec::JsonValue::Type;
  switch (json.type()) {
    case Type::object: {
      Tree::Table table;
      codec::JsonMembers members(json);
      while (auto member = members.next()) {
        if (has(table, member->name)) return std::unexpected(twice(member->name));
        auto value = from_json(member->value, budget);
        if (!value) return value;
        table.emplace_back(std::move(member->name), *std::move(value));
      }
      return Tree{std::move(table)};
    }
    case Type::array: {
      Tree::List list;
      codec::JsonElements elements(json);
      while (const auto element = elements.next()) {
        auto value = from_json(*element, budget);
        if (!value) return value;
        list.push_back(*std::move(value));
      }
      return Tree{std::move(list)};
    }
    case Type::string:
      return Tree{json.string().value_or("")};
    case Type::number:
      if (const auto whole = json.integer()) return Tree{*whole};
      return Tree{json.number().value_or(0)};
    case Type::boolean:
      return Tree{json.boolean().value_or(false)};
    case Type::null:
      break;
  }
  return Tree{};
}

// How many lines of the text there are before the place where reading stopped is not known to the JSON reader; it says
// only that it did.
Made read_json(std::string_view text) {
  const auto json = codec::JsonValue::parse(text, kDepthMax);
  if (!json) {
    return std::unexpected(json.error() == base::Error::json_depth ? std::string(kTooDeep) : "is not valid JSON");
  }
  Budget budget;
  return from_json(*json, budget);
}

// --- TOML

Made from_toml(const toml::node& node, Budget& budget, int depth) {
  if (!budget.one_more()) return std::unexpected(std::string(kTooMany));
  if (depth > kDepthMax) return std::unexpected(std::string(kTooDeep));
  if (const toml::table* const members = node.as_table()) {
    Tree::Table table;
    for (const auto& [key, member] : *members) {
      auto value = from_toml(member, budget, depth + 1);
      if (!value) return value;
      table.emplace_back(std::string(key.str()), *std::move(value));
    }
    return Tree{std::move(table)};
  }
  if (const toml::array* const elements = node.as_array()) {
    Tree::List list;
    for (const toml::node& element : *elements) {
      auto value = from_toml(element, budget, depth + 1);
      if (!value) return value;
      list.push_back(*std::move(value));
    }
    return Tree{std::move(list)};
  }
  if (const auto text = node.value_exact<std::string>()) return Tree{*text};
  if (const auto on = node.value_exact<bool>()) return Tree{*on};
  if (const auto number = node.value_exact<std::int64_t>()) return Tree{*number};
  if (const auto number = node.value_exact<double>()) return Tree{*number};
  std::ostringstream date;  // no key of a configuration has one; as a text it is at least shown
  if (const auto* const value = node.as_date()) date << value->get();
  if (const auto* const value = node.as_time()) date << value->get();
  if (const auto* const value = node.as_date_time()) date << value->get();
  return Tree{date.str()};
}

Made read_toml(std::string_view text) {
  try {
    Budget budget;
    return from_toml(toml::parse(text), budget, 0);
  } catch (const toml::parse_error& error) {
    return std::unexpected(
        fmt::format("is not valid TOML: line {}: {}", error.source().begin.line, error.description()));
  }
}

// --- YAML

// A plain scalar of YAML 1.2's core schema.
Tree plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return {true};
  if (text == "false" || text == "False" || text == "FALSE") return {false};
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  const char* const digits = text.data() + (text.front() == '+' ? 1 : 0);
  if (const auto read = std::from_chars(digits, end, whole); read.ec == std::errc{} && read.ptr == end) return {whole};
  double number = 0;
  if (const auto read = std::from_chars(digits, end, number);
      read.ec == std::errc{} && read.ptr == end && std::isfinite(number)) {
    return {number};
  }
  return {text};
}

Made from_yaml(const YAML::Node& node, Budget& budget, int depth) {
  if (!budget.one_more()) return std::unexpected(std::string(kTooMany));
  if (depth > kDepthMax) return std::unexpected(std::string(kTooDeep));
  if (node.IsMap()) {
    Tree::Table table;
    for (const auto& member : node) {
      if (!member.first.IsScalar()) return std::unexpected("has a key that is not a text");
      const std::string& name = member.first.Scalar();
      if (has(table, name)) return std::unexpected(twice(name));
      auto value = from_yaml(member.second, budget, depth + 1);
      if (!value) return value;
      table.emplace_back(name, *std::move(value));
    }
    return Tree{std::move(table)};
  }
  if (node.IsSequence()) {
    Tree::List list;
    for (const YAML::Node& element : node) {
      auto value = from_yaml(element, budget, depth + 1);
      if (!value) return value;
      list.push_back(*std::move(value));
    }
    return Tree{std::move(list)};
  }
  if (!node.IsScalar()) return Tree{};
  return node.Tag() == "!" ? Tree{node.Scalar()} : plain_scalar(node.Scalar());  // "!": it stood in quotes
}

// A line of "---" ends what stands before it, unless that is nothing. Looked for here and not by LoadAll(), which in
// yaml-cpp 0.7 never ends on a document that begins with a comma.
bool has_several_documents(std::string_view text) {
  bool content = false;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const bool marker = line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\r');
    if (marker && content) return true;
    const std::size_t first = line.find_first_not_of(" \t\r");
    content = content || marker || (first != line.npos && line[first] != '#' && line.front() != '%');
  }
  return false;
}

Made read_yaml(std::string_view text) {
  if (has_several_documents(text)) return std::unexpected("has more than one YAML document in it");
  try {
    Budget budget;
    return from_yaml(YAML::Load(std::string(text)), budget, 0);
  } catch (const YAML::Exception& error) {
    return std::unexpected(error.mark.is_null()
                               ? fmt::format("is not valid YAML: {}", error.msg)
                               : fmt::format("is not valid YAML: line {}: {}", error.mark.line + 1, error.msg));
  }
}

}  // namespace

Format format_of(std::string_view file, std::string_view text) {
  if (file.ends_with(".json")) return Format::json;
  if (file.ends_with(".toml")) return Format::toml;
  if (file.ends_with(".yaml") || file.ends_with(".yml")) return Format::yaml;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') return Format::json;
  return read_toml(text) ? Format::toml : Format::yaml;
}

std::expected<Tree, std::string> read_tree(Format format, std::string_view text) {
  if (!codec::utf8_valid(text)) return std::unexpected("is not UTF-8");
  Made made = format == Format::json ? read_json(text) : format == Format::toml ? read_toml(text) : read_yaml(text);
  if (made && std::holds_alternative<std::monostate>(made->value)) return Tree{Tree::Table{}};  // an empty file
  if (made && made->table() == nullptr) return std::unexpected("is not a table of keys");
  return made;
}

}  // namespace app::import
