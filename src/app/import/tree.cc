#include "app/import/tree.h"

#include <algorithm>

namespace app::import {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

// "a.b.c": a, and b.c
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

Tree::Table::iterator member(Tree::Table& table, std::string_view name) {
  return std::ranges::find(table, name, &Member::name);
}

}  // namespace

bool Tree::is_off() const {
  return std::visit(
      Overloaded{
          [](std::monostate) { return true; },
          [](bool on) { return !on; },
          [](std::int64_t number) { return number == 0; },
          [](double number) { return number == 0; },
          [](const std::string& text) { return text.empty(); },
          [](const List& list) { return std::ranges::all_of(list, [](const Tree& each) { return each.is_off(); }); },
          [](const Table& members) {
            return std::ranges::all_of(members, [](const auto& each) { return each.value.is_off(); });
          },
      },
      value);
}

const Tree* find(const Tree& tree, std::string_view path) {
  const Tree* at = &tree;
  while (!path.empty()) {
    const auto [name, rest] = split(path);
    const Tree::Table* const table = at->table();
    if (table == nullptr) return nullptr;
    const auto found = std::ranges::find(*table, name, &Member::name);
    if (found == table->end()) return nullptr;
    at = &found->value;
    path = rest;
  }
  return at;
}

std::optional<Tree> take(Tree& tree, std::string_view path) {
  const auto [name, rest] = split(path);
  Tree::Table* const table = tree.table();
  if (table == nullptr) return std::nullopt;
  const auto found = member(*table, name);
  if (found == table->end()) return std::nullopt;
  if (!rest.empty()) return take(found->value, rest);
  Tree taken = std::move(found->value);
  table->erase(found);
  return taken;
}

bool put(Tree& tree, std::string_view path, Tree value) {
  const auto [name, rest] = split(path);
  Tree::Table* const table = tree.table();
  if (table == nullptr) return false;
  auto found = member(*table, name);
  if (rest.empty()) {
    if (found != table->end()) return false;
    table->emplace_back(std::string(name), std::move(value));
    return true;
  }
  if (found == table->end()) {
    table->emplace_back(std::string(name), Tree{Tree::Table{}});
    found = table->end() - 1;
  }
  return put(found->value, rest, std::move(value));
}

}  // namespace app::import
