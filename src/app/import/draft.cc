#include "app/import/draft.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <expected>
#include <sstream>

#include "app/named_tables.h"
#include "app/value_text.h"
#include "base/assert.h"

namespace app::import {
namespace {

using Texts = std::vector<std::string>;

std::expected<Texts, std::string> texts_for(const Option& option, const Tree& value) {
  if (is_list(option)) {
    auto texts = texts_of_list(value);
    if (!texts) return std::unexpected("is not a list of texts");
    return *std::move(texts);
  }
  const auto text = text_of_scalar(value);
  if (!text) return std::unexpected("is not one value");
  if (type_name(option) == "duration") {
    const auto duration = go_duration(*text);
    if (!duration) return std::unexpected(fmt::format("= {} is not a duration", *text));
    return Texts{format_duration(*duration)};
  }
  return Texts{*text};
}

}  // namespace

bool Draft::set(std::string_view option, const Tree& value, std::string_view key) {
  return set_in(settings.channels, option, value, key);
}

bool Draft::set_in(server::NamespaceOptions& space, std::string_view option, const Tree& value, std::string_view key) {
  const Option* const found = find_option(option);
  ASSERT(found != nullptr);
  return assign_texts(*found, {settings, space}, value, key);
}

bool Draft::set_in_hook(server::HookOptions& hook, std::string_view name, const Tree& value, std::string_view key) {
  const Option* const found = find_named_option(*find_named_table("hooks"), name);
  ASSERT(found != nullptr);
  return assign_texts(*found, {settings, settings.channels, &hook}, value, key);
}

bool Draft::assign_texts(const Option& option, Target target, const Tree& value, std::string_view key) {
  const auto texts = texts_for(option, value);
  if (!texts) {
    left_out(key, texts.error());
    return false;
  }
  if (const auto assigned = assign(option, target, *texts); !assigned) {
    left_out(key, fmt::format("as {}: {}", option.key, assigned.error()));
    return false;
  }
  return true;
}

const std::vector<std::string>* Draft::remarks_of(const std::string& option) const {
  const auto found = remarks_.find(option);
  return found == remarks_.end() ? nullptr : &found->second;
}

std::optional<std::string> text_of_scalar(const Tree& value) {
  if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
  if (const auto* on = std::get_if<bool>(&value.value)) return *on ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value.value)) return fmt::format("{}", *number);
  return std::nullopt;
}

std::optional<std::vector<std::string>> texts_of_list(const Tree& value) {
  Texts texts;
  if (const auto* const text = std::get_if<std::string>(&value.value)) {
    std::istringstream words(*text);
    for (std::string word; words >> word;) texts.push_back(std::move(word));
    return texts;
  }
  if (value.list() == nullptr) return std::nullopt;
  for (const Tree& element : *value.list()) {
    auto text = text_of_scalar(element);
    if (!text) return std::nullopt;
    texts.push_back(*std::move(text));
  }
  return texts;
}

bool is_on(const Tree* value) {
  if (value == nullptr) return false;
  const auto text = text_of_scalar(*value);
  return text == "true" || text == "1" || text == "True" || text == "TRUE" || text == "t" || text == "T";
}

std::optional<std::int64_t> number_of(const Tree& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) return *number;
  const auto* const text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return number;
}

std::optional<base::Duration> go_duration(std::string_view text) {
  struct GoUnit {
    std::string_view name;
    double ns;
  };
  constexpr auto kUnits = std::to_array<GoUnit>(
      {{"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}});
  if (text == "0") return base::Duration{0};
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    double number = 0;
    // Without exponents and signs, which Go does not take here.
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || !(text.front() == '.' || (text.front() >= '0' && text.front() <= '9')))
      return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    const GoUnit* unit = nullptr;
    for (const GoUnit& each : kUnits) {
      // "m" begins "ms": the longer one counts.
      if (text.starts_with(each.name) && (unit == nullptr || each.name.size() > unit->name.size())) unit = &each;
    }
    if (unit == nullptr) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += number * unit->ns;
  }
  if (!(total < 9e18)) return std::nullopt;
  return base::Duration{std::llround(total)};
}

}  // namespace app::import
