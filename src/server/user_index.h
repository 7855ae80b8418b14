// Which connections of one worker belong to a name: a user, or the id of a token. Ordered by name; entries are small
// and there is one per connection that has such a name. Owned by one worker.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace server {

class UserIndex {
 public:
  // Nothing happens if the pair is there already, or not there.
  void add(std::string_view name, base::PeerId peer);
  void remove(std::string_view name, base::PeerId peer);

  // In the order of their slots.
  std::vector<base::PeerId> find(std::string_view name) const;

  std::size_t names() const { return names_; }  // that have a connection
  std::size_t connections() const { return entries_.size(); }

 private:
  struct Key {
    std::string_view name;
    std::uint64_t peer;
  };
  struct Entry {
    std::string name;
    std::uint64_t peer;  // slot, generation
  };
  struct Before {
    using is_transparent = void;
    static std::pair<std::string_view, std::uint64_t> of(const Key& key) { return {key.name, key.peer}; }
    static std::pair<std::string_view, std::uint64_t> of(const Entry& entry) { return {entry.name, entry.peer}; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return of(a) < of(b);
    }
  };
  using Entries = std::set<Entry, Before>;

  bool is_alone(Entries::const_iterator entry) const;

  Entries entries_;
  std::size_t names_ = 0;
};

}  // namespace server
