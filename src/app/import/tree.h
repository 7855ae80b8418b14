// A configuration file of somebody else as plain values, whichever of three formats it came in. What `wirebird import`
// reads; our own configuration has its own reader (app/config_toml.cc), with places for error messages.
//
// Values; any thread. Bounded: files of up to Files::kFileBytesMax are read, at most kNodesMax values come out, and
// nothing is nested deeper than kDepthMax.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace app::import {

struct Member;

struct Tree {
  using List = std::vector<Tree>;
  using Table = std::vector<Member>;  // in the order of the file; no name twice

  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table> value;

  const Table* table() const { return std::get_if<Table>(&value); }
  Table* table() { return std::get_if<Table>(&value); }
  const List* list() const { return std::get_if<List>(&value); }
  List* list() { return std::get_if<List>(&value); }

  // Null, false, 0, "", and a list or table that holds nothing else: what switches a thing off, or leaves it as it is.
  bool is_off() const;

  friend bool operator==(const Tree& a, const Tree& b);
};

struct Member {
  std::string name;
  Tree value;
  friend bool operator==(const Member&, const Member&) = default;
};

inline bool operator==(const Tree& a, const Tree& b) { return a.value == b.value; }

inline constexpr std::size_t kNodesMax = 100'000;
inline constexpr int kDepthMax = 32;

enum class Format : std::uint8_t { json, toml, yaml };

// By the end of the file's name; failing that, by how the text begins.
Format format_of(std::string_view file, std::string_view text);

// The table that the text is. The error says what is wrong and, as far as the format's reader knows, in which line.
std::expected<Tree, std::string> read_tree(Format format, std::string_view text);

// The member at a path of names with dots between ("client.token.audience"); null if there is none.
const Tree* find(const Tree& tree, std::string_view path);

// Takes the member out of its table. Tables that are empty then stay.
std::optional<Tree> take(Tree& tree, std::string_view path);

// Puts a value at a path; tables on the way are made. False if something else is in the way, or the place is taken.
bool put(Tree& tree, std::string_view path, Tree value);

}  // namespace app::import
