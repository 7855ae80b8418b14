// The filter of tag_filter.h read in the most obvious way, for its test and its fuzz target: recursion over the nodes
// as they came, tags in a map, numbers padded until they compare as text. Only for filters that compile.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <regex>
#include <span>
#include <string>
#include <string_view>

#include "hub/tag_filter.h"

namespace hub {

class FilterReference {
 public:
  FilterReference(std::span<const FilterNode> nodes, const std::map<std::string, std::string>& tags)
      : rest_(nodes), tags_(tags) {}

  bool matches() {
    const FilterNode node = rest_.front();
    rest_ = rest_.subspan(1);
    if (node.op.empty()) return leaf_matches(node);
    bool all = true;
    bool any = false;
    for (std::uint32_t child = 0; child < node.nodes; ++child) {
      const bool matched = matches();
      all = all && matched;
      any = any || matched;
    }
    return node.op == "and" ? all : node.op == "or" ? any : !any;
  }

 private:
  static bool is_number(const std::string& text) {
    static const std::regex kNumber("[+-]?[0-9]+(\\.[0-9]{1,19})?");
    return text.size() <= 200 && std::regex_match(text, kNumber);
  }

  // Less than zero, zero or more, as a - b.
  static int difference(std::string a, std::string b) {
    const auto pad = [](std::string& text) {
      const bool negative = text.front() == '-';
      if (text.front() == '-' || text.front() == '+') text.erase(0, 1);
      if (text.find('.') == std::string::npos) text += '.';
      text.insert(0, 200 - text.find('.'), '0');
      text.append(220 - text.size(), '0');
      return negative && text.find_first_not_of("0.") != std::string::npos;
    };
    const bool a_negative = pad(a);
    const bool b_negative = pad(b);
    if (a_negative != b_negative) return a_negative ? -1 : 1;
    return a_negative ? b.compare(a) : a.compare(b);
  }

  bool leaf_matches(const FilterNode& leaf) const {
    const auto found = tags_.find(std::string(leaf.key));
    const bool there = found != tags_.end();
    const std::string value = there ? found->second : "";
    const std::string val(leaf.val);
    const bool listed = std::ranges::find(leaf.vals, value) != leaf.vals.end();
    if (leaf.cmp == "eq") return there && value == val;
    if (leaf.cmp == "neq") return !(there && value == val);
    if (leaf.cmp == "in") return listed;
    if (leaf.cmp == "nin") return !listed;
    if (leaf.cmp == "ex") return there;
    if (leaf.cmp == "nex") return !there;
    if (leaf.cmp == "sw") return there && value.substr(0, val.size()) == val;
    if (leaf.cmp == "ew") return there && value.size() >= val.size() && value.substr(value.size() - val.size()) == val;
    if (leaf.cmp == "ct") return there && value.find(val) != std::string::npos;
    if (!there || !is_number(value) || !is_number(val)) return false;
    const int order = difference(value, val);
    if (leaf.cmp == "lt") return order < 0;
    if (leaf.cmp == "lte") return order <= 0;
    if (leaf.cmp == "gt") return order > 0;
    return order >= 0;
  }

  std::span<const FilterNode> rest_;
  const std::map<std::string, std::string>& tags_;
};

}  // namespace hub
