#include "hub/tag_filter.h"

#include <algorithm>
#include <array>
#include <compare>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/hash.h"
#include "hub/limits.h"

namespace hub {
namespace {

enum class Op : std::uint8_t { leaf, all_of, any_of, none_of };

std::optional<Op> parse_op(std::string_view op) {
  if (op.empty()) return Op::leaf;
  if (op == "and") return Op::all_of;
  if (op == "or") return Op::any_of;
  if (op == "not") return Op::none_of;
  return std::nullopt;
}

constexpr std::string_view kCompares[] = {"eq", "neq", "in", "nin", "ex", "nex", "sw",
                                          "ew", "ct",  "lt", "lte", "gt", "gte"};

// A number as the header describes it, in parts that compare as text: the integer without zeros before it, the fraction
// without zeros behind it.
class Decimal {
 public:
  static std::optional<Decimal> parse(std::string_view text) noexcept {
    constexpr std::size_t kCharactersMax = 200;
    constexpr std::size_t kFractionMax = 19;
    if (text.size() > kCharactersMax) return std::nullopt;
    Decimal number;
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
      number.is_negative_ = text.front() == '-';
      text.remove_prefix(1);
    }
    const std::size_t point = text.find('.');
    number.integer_ = text.substr(0, point);
    if (!is_digits(number.integer_)) return std::nullopt;
    if (point != std::string_view::npos) {
      number.fraction_ = text.substr(point + 1);
      if (!is_digits(number.fraction_) || number.fraction_.size() > kFractionMax) return std::nullopt;
    }
    while (number.integer_.starts_with('0')) number.integer_.remove_prefix(1);
    while (number.fraction_.ends_with('0')) number.fraction_.remove_suffix(1);
    if (number.integer_.empty() && number.fraction_.empty()) number.is_negative_ = false;
    return number;
  }

  friend std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) noexcept {
    if (a.is_negative_ != b.is_negative_) return b.is_negative_ <=> a.is_negative_;
    return a.is_negative_ ? compare_size(b, a) : compare_size(a, b);
  }

 private:
  static bool is_digits(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  }
  static std::strong_ordering compare_size(const Decimal& a, const Decimal& b) noexcept {
    if (const auto order = a.integer_.size() <=> b.integer_.size(); order != 0) return order;
    if (const auto order = a.integer_ <=> b.integer_; order != 0) return order;
    return a.fraction_ <=> b.fraction_;
  }

  bool is_negative_ = false;
  std::string_view integer_;
  std::string_view fraction_;
};

}  // namespace

std::string_view to_string(FilterError error) noexcept {
  switch (error) {
    case FilterError::op:
      return "op";
    case FilterError::cmp:
      return "cmp";
    case FilterError::key_missing:
      return "key_missing";
    case FilterError::value_missing:
      return "value_missing";
    case FilterError::value_unexpected:
      return "value_unexpected";
    case FilterError::children:
      return "children";
    case FilterError::shape:
      return "shape";
    case FilterError::too_many_nodes:
      return "too_many_nodes";
    case FilterError::too_deep:
      return "too_deep";
    case FilterError::too_many_values:
      return "too_many_values";
    case FilterError::too_many_bytes:
      return "too_many_bytes";
    case FilterError::too_many_ct:
      return "too_many_ct";
  }
  return "op";
}

// Twice over the nodes: once for the shape, which says with which leaf each node ends, and once for the steps.
class TagFilter::Compiler {
 public:
  explicit Compiler(std::span<const FilterNode> nodes) : nodes_(nodes) {}

  std::expected<TagFilter, FilterError> compile() && {
    if (!measure() || !lay_out()) return std::unexpected(error_);
    return std::move(filter_);
  }

 private:
  bool fail(FilterError error) {
    error_ = error;
    return false;
  }

  bool measure() {
    struct Open {
      std::size_t node;
      std::uint32_t missing;  // children
    };
    std::array<Open, kFilterDepthMax> open;
    std::size_t depth = 0;
    Step leaves = 0;
    if (nodes_.empty()) return fail(FilterError::shape);
    if (nodes_.size() > kFilterNodesMax) return fail(FilterError::too_many_nodes);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (i > 0 && depth == 0) return fail(FilterError::shape);
      const std::uint32_t children = nodes_[i].nodes;
      const std::optional<Op> op = parse_op(nodes_[i].op);
      if (!op) return fail(FilterError::op);
      ops_[i] = *op;
      const bool fits = *op == Op::leaf ? children == 0 : *op == Op::none_of ? children == 1 : children > 0;
      if (!fits) return fail(FilterError::children);
      if (*op != Op::leaf) {
        if (depth == kFilterDepthMax) return fail(FilterError::too_deep);
        open[depth++] = {i, children};
        continue;
      }
      ends_[i] = ++leaves;
      while (depth > 0 && --open[depth - 1].missing == 0) ends_[open[--depth].node] = leaves;
    }
    return depth == 0 || fail(FilterError::shape);
  }

  bool lay_out() {
    struct Parent {
      Op op;
      std::uint32_t missing;
      Step when_true;
      Step when_false;
    };
    std::array<Parent, kFilterDepthMax> parents;
    std::size_t depth = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      Step when_true = kMatch;
      Step when_false = kNoMatch;
      if (depth > 0) {
        Parent& parent = parents[depth - 1];
        when_true = parent.when_true;
        when_false = parent.when_false;
        const bool last = --parent.missing == 0;
        if (parent.op == Op::none_of) std::swap(when_true, when_false);
        if (parent.op == Op::all_of && !last) when_true = ends_[i];
        if (parent.op == Op::any_of && !last) when_false = ends_[i];
        if (last) --depth;  // nothing more is asked of it
      }
      if (ops_[i] != Op::leaf) {
        parents[depth++] = {ops_[i], nodes_[i].nodes, when_true, when_false};
      } else if (!add_leaf(nodes_[i], when_true, when_false)) {
        return false;
      }
    }
    return true;
  }

  bool add_leaf(const FilterNode& node, Step when_true, Step when_false) {
    const auto* const word = std::ranges::find(kCompares, node.cmp);
    if (word == std::end(kCompares)) return fail(FilterError::cmp);
    const auto compare = static_cast<Compare>(word - kCompares);
    const bool takes_none = compare == Compare::ex || compare == Compare::nex;
    const bool takes_many = compare == Compare::in || compare == Compare::nin;
    if (node.key.empty() && !takes_none) return fail(FilterError::key_missing);
    if ((takes_none || takes_many) && !node.val.empty()) return fail(FilterError::value_unexpected);
    if (!takes_many && !node.vals.empty()) return fail(FilterError::value_unexpected);
    if (takes_many ? node.vals.empty() : !takes_none && node.val.empty()) return fail(FilterError::value_missing);

    if (compare == Compare::ct && ++searches_ > kFilterContainsMax) return fail(FilterError::too_many_ct);

    Leaf leaf{.compare = compare,
              .key = {},
              .values_at = static_cast<std::uint16_t>(filter_.values_.size()),
              .values = 0,
              .when_true = when_true,
              .when_false = when_false};
    if (!add_text(node.key, leaf.key)) return false;
    if (takes_many) {
      if (node.vals.size() > kFilterValuesMax) return fail(FilterError::too_many_values);
      std::vector<std::string_view> values(node.vals.begin(), node.vals.end());
      std::ranges::sort(values);
      const auto repeated = std::ranges::unique(values);
      values.erase(repeated.begin(), repeated.end());
      for (const std::string_view value : values) {
        if (!add_value(value)) return false;
      }
    } else if (!takes_none && !add_value(node.val)) {
      return false;
    }
    leaf.values = static_cast<std::uint16_t>(filter_.values_.size() - leaf.values_at);
    filter_.leaves_.push_back(leaf);
    return true;
  }

  bool add_value(std::string_view value) {
    if (filter_.values_.size() == kFilterValuesMax) return fail(FilterError::too_many_values);
    return add_text(value, filter_.values_.emplace_back());
  }

  bool add_text(std::string_view text, Text& added) {
    static_assert(kFilterBytesMax <= std::numeric_limits<std::uint16_t>::max());
    if (text.size() > kFilterBytesMax - filter_.text_.size()) return fail(FilterError::too_many_bytes);
    added = {static_cast<std::uint16_t>(filter_.text_.size()), static_cast<std::uint16_t>(text.size())};
    filter_.text_ += text;
    return true;
  }

  static_assert(kFilterNodesMax < kNoMatch);
  std::span<const FilterNode> nodes_;
  std::array<Op, kFilterNodesMax> ops_{};
  std::array<Step, kFilterNodesMax> ends_{};  // by node: the leaves up to its end, so the first one behind it
  std::size_t searches_ = 0;
  TagFilter filter_;
  FilterError error_ = FilterError::shape;
};

std::expected<TagFilter, FilterError> TagFilter::compile(std::span<const FilterNode> nodes) {
  return Compiler(nodes).compile();
}

bool TagFilter::matches(const Tags& tags) const noexcept {
  Step step = 0;
  do {
    const Leaf& leaf = leaves_[step];
    step = holds(leaf, tags) ? leaf.when_true : leaf.when_false;
  } while (step < kNoMatch);
  return step == kMatch;
}

bool TagFilter::holds(const Leaf& leaf, const Tags& tags) const noexcept {
  const std::string* const found = tags.find(view(leaf.key));
  const std::string_view value = found != nullptr ? std::string_view(*found) : std::string_view();
  const auto wanted = [&] { return view(values_[leaf.values_at]); };
  switch (leaf.compare) {
    case Compare::eq:
      return found != nullptr && value == wanted();
    case Compare::neq:
      return found == nullptr || value != wanted();
    case Compare::in:
      return is_one_of(leaf, value);
    case Compare::nin:
      return !is_one_of(leaf, value);
    case Compare::ex:
      return found != nullptr;
    case Compare::nex:
      return found == nullptr;
    case Compare::sw:
      return found != nullptr && value.starts_with(wanted());
    case Compare::ew:
      return found != nullptr && value.ends_with(wanted());
    case Compare::ct:
      return found != nullptr && value.contains(wanted());
    case Compare::lt:
    case Compare::lte:
    case Compare::gt:
    case Compare::gte:
      break;
  }
  const std::optional<Decimal> number = Decimal::parse(value);  // none, where the key is missing
  const std::optional<Decimal> bound = Decimal::parse(wanted());
  if (!number || !bound) return false;
  const std::strong_ordering order = *number <=> *bound;
  return leaf.compare == Compare::lt    ? order < 0
         : leaf.compare == Compare::lte ? order <= 0
         : leaf.compare == Compare::gt  ? order > 0
                                        : order >= 0;
}

bool TagFilter::is_one_of(const Leaf& leaf, std::string_view value) const noexcept {
  const std::span values = std::span(values_).subspan(leaf.values_at, leaf.values);
  return std::ranges::binary_search(values, value, {}, [this](Text text) { return view(text); });
}

std::uint64_t TagFilter::hash(std::uint64_t seed) const noexcept {
  // Of the bytes of both: they have no padding.
  static_assert(std::has_unique_object_representations_v<Leaf> && std::has_unique_object_representations_v<Text>);
  const auto bytes = [](const auto& vector) {
    const auto raw = std::as_bytes(std::span(vector));
    return std::string_view(reinterpret_cast<const char*>(raw.data()), raw.size());
  };
  return base::hash64(text_, base::hash64(bytes(values_), base::hash64(bytes(leaves_), seed)));
}

std::size_t TagFilter::charged_bytes() const noexcept {
  return sizeof(TagFilter) + leaves_.capacity() * sizeof(Leaf) + values_.capacity() * sizeof(Text) + text_.capacity();
}

}  // namespace hub
