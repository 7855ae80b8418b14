#include "codec/delta.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "base/assert.h"

namespace codec {
namespace {

constexpr std::uint32_t kNumberMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";
constexpr std::uint8_t kNoDigit = 64;

constexpr std::array<std::uint8_t, 256> kDigitValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoDigit);
  for (std::uint8_t i = 0; i < kDigits.size(); ++i) values[static_cast<unsigned char>(kDigits[i])] = i;
  return values;
}();

std::size_t digits_of(std::size_t number) { return number == 0 ? 1 : (std::bit_width(number) + 5) / 6; }

void append_number(std::string& out, std::size_t number) {
  for (std::size_t digit = digits_of(number); digit > 0; --digit) out += kDigits[number >> (6 * (digit - 1)) & 63];
}

std::uint32_t load_big_endian(const char* bytes) {
  std::uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return std::endian::native == std::endian::little ? std::byteswap(word) : word;
}

std::uint64_t load64(const char* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

std::uint32_t checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  std::size_t at = 0;
  for (; bytes.size() - at >= 4; at += 4) sum += load_big_endian(bytes.data() + at);
  char last[4] = {};
  bytes.copy(last, 4, at);
  return sum + load_big_endian(last);
}

// How many bytes a and b have in common at the start, and at the end.
std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (size - at >= 8 && load64(a.data() + at) == load64(b.data() + at)) at += 8;
  while (at < size && a[at] == b[at]) ++at;
  return at;
}

std::size_t common_suffix(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  const char* a_end = a.data() + a.size();
  const char* b_end = b.data() + b.size();
  std::size_t count = 0;
  while (size - count >= 8 && load64(a_end - count - 8) == load64(b_end - count - 8)) count += 8;
  while (count < size &&
         a_end[-1 - static_cast<std::ptrdiff_t>(count)] == b_end[-1 - static_cast<std::ptrdiff_t>(count)])
    ++count;
  return count;
}

// --- making --------------------------------------------------------------------------------------------------------

constexpr std::size_t kBlock = 16;
constexpr std::size_t kCandidatesMax = 8;  // places of the source per place of the target: the bound on hostile input

// Where the blocks of the source are, by the hash of their bytes. A block is hashed as a whole at each byte of the
// target instead of rolling over it: two loads and two multiplications that do not wait for those of the byte before.
class BlockIndex {
 public:
  // `source` has a block at least.
  explicit BlockIndex(std::string_view source)
      : source_(source),
        next_(source.size() / kBlock),
        heads_(std::bit_ceil(2 * next_.size())),  // two for each, so that most of what is not there meets an empty one
        shift_(64 - std::countr_zero(heads_.size())) {
    // From the back, so that the first of equal blocks is the first to be tried.
    for (std::size_t block = next_.size(); block-- > 0;) {
      std::uint32_t& head = heads_[bucket(source.data() + block * kBlock)];
      next_[block] = head;
      head = static_cast<std::uint32_t>(block + 1);
    }
  }

  // Calls `found` with the offset of blocks of the source that equal the kBlock bytes at `bytes`.
  template <typename Found>
  void each(const char* bytes, Found found) const {
    std::uint32_t block = heads_[bucket(bytes)];
    for (std::size_t tried = 0; block != 0 && tried < kCandidatesMax; ++tried, block = next_[block - 1]) {
      const std::size_t offset = (block - 1) * kBlock;
      if (std::memcmp(source_.data() + offset, bytes, kBlock) == 0) found(offset);
    }
  }

 private:
  std::size_t bucket(const char* bytes) const {
    // Odd numbers without a pattern; who aims at one bucket only finds kCandidatesMax.
    const std::uint64_t hash = (load64(bytes) * 0x9e3779b97f4a7c15 ^ load64(bytes + 8)) * 0xc2b2ae3d27d4eb4f;
    return hash >> shift_;
  }

  std::string_view source_;
  std::vector<std::uint32_t> next_;   // by block: the next one of its bucket, plus one; 0: none
  std::vector<std::uint32_t> heads_;  // by bucket: the same of its first
  int shift_;
};

struct Copy {
  std::size_t source = 0;
  std::size_t target = 0;
  std::size_t size = 0;

  std::size_t target_end() const { return target + size; }
};

class DeltaWriter {
 public:
  DeltaWriter(std::string_view source, std::string_view target, Utf8 utf8)
      : source_(source), target_(target), utf8_(utf8) {
    append_number(out_, target.size());
    out_ += '\n';
  }

  std::string write() && {
    const std::size_t prefix = common_prefix(source_, target_);
    const std::size_t suffix = common_suffix(source_.substr(prefix), target_.substr(prefix));
    put({.source = 0, .target = 0, .size = prefix});
    // Trimmed before the search, because the search goes on as far as the end begins.
    Copy end{.source = source_.size() - suffix, .target = target_.size() - suffix, .size = suffix};
    trim(end);
    if (!is_worthwhile(end)) end = {.source = source_.size(), .target = target_.size(), .size = 0};
    out_.reserve(out_.size() + end.target - done_ + 64);
    search(end.target);
    put_inserts(end.target);
    put(end);
    put_inserts(target_.size());
    append_number(out_, checksum(target_));
    out_ += ';';
    return std::move(out_);
  }

 private:
  // The copy and the head of the insert before it are shorter than what is copied. So only the last insert, the size
  // and the checksum can make a delta longer than its target.
  bool is_worthwhile(const Copy& copy) const {
    const std::size_t insert = copy.target - done_;
    return copy.size > digits_of(copy.size) + digits_of(copy.source) + 2 + (insert == 0 ? 0 : digits_of(insert) + 1);
  }

  // Moves both ends of the copy inwards to where code points of the target begin, so that the inserts around it are
  // whole.
  void trim(Copy& copy) const {
    if (utf8_ == Utf8::anywhere) return;
    const auto is_inside = [&](std::size_t at) {
      return at > 0 && at < target_.size() && (static_cast<unsigned char>(target_[at]) & 0xc0) == 0x80;
    };
    // 3: what is longer is not UTF-8, and a loop over it would cost the square of its length.
    for (int steps = 0; steps < 3 && copy.size > 0 && is_inside(copy.target); ++steps) {
      ++copy.source;
      ++copy.target;
      --copy.size;
    }
    for (int steps = 0; steps < 3 && copy.size > 0 && is_inside(copy.target_end()); ++steps) --copy.size;
  }

  // Writes the target from where it was written to as far as `end`.
  void search(std::size_t end) {
    if (source_.size() < kBlock || end - done_ < kBlock) return;
    const BlockIndex index(source_);
    for (std::size_t at = done_; end - at >= kBlock;) {
      Copy best;
      const auto found = [&](std::size_t offset) {
        const std::string_view after = target_.substr(at, end - at);
        const std::size_t forward = common_prefix(source_.substr(offset), after);
        const std::size_t back = common_suffix(source_.substr(0, offset), target_.substr(done_, at - done_));
        if (forward + back > best.size) best = {offset - back, at - back, forward + back};
      };
      // Where the last copy would have gone on: behind a value that changed and kept its length.
      const std::size_t offset = at + ahead_;
      if (offset <= source_.size() - kBlock && load64(source_.data() + offset) == load64(target_.data() + at)) {
        found(offset);
      }
      index.each(target_.data() + at, found);
      at = put(best) ? done_ : at + 1;
    }
  }

  // Nothing, if the copy is not worth its command.
  bool put(Copy copy) {
    trim(copy);
    if (!is_worthwhile(copy)) return false;
    put_inserts(copy.target);
    append_number(out_, copy.size);
    out_ += '@';
    append_number(out_, copy.source);
    out_ += ',';
    done_ = copy.target_end();
    ahead_ = copy.source - copy.target;
    return true;
  }

  void put_inserts(std::size_t end) {
    if (end == done_) return;
    append_number(out_, end - done_);
    out_ += ':';
    out_ += target_.substr(done_, end - done_);
    done_ = end;
  }

  std::string_view source_;
  std::string_view target_;
  Utf8 utf8_;
  std::string out_;
  std::size_t done_ = 0;   // of the target
  std::size_t ahead_ = 0;  // by how much the last copy's place in the source is after that in the target, modulo 2^64
};

// --- applying ------------------------------------------------------------------------------------------------------

class DeltaReader {
 public:
  explicit DeltaReader(std::string_view delta) : rest_(delta) {}

  std::expected<std::uint32_t, DeltaError> number() {
    std::uint64_t value = 0;
    std::size_t at = 0;
    for (; at < rest_.size(); ++at) {
      const std::uint8_t digit = kDigitValues[static_cast<unsigned char>(rest_[at])];
      if (digit == kNoDigit) break;
      value = value << 6 | digit;
      if (value > kNumberMax) return std::unexpected(DeltaError::number);
    }
    if (at == 0) return std::unexpected(DeltaError::syntax);
    rest_.remove_prefix(at);
    return static_cast<std::uint32_t>(value);
  }

  // '\0' at the end; no mark of the format.
  char mark() {
    if (rest_.empty()) return '\0';
    const char first = rest_.front();
    rest_.remove_prefix(1);
    return first;
  }

  std::optional<std::string_view> take(std::size_t size) {
    if (size > rest_.size()) return std::nullopt;
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }

  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace

std::string make_delta(std::string_view source, std::string_view target, Utf8 utf8) {
  ASSERT(source.size() <= kNumberMax && target.size() <= kNumberMax);
  return DeltaWriter(source, target, utf8).write();
}

std::string_view to_string(DeltaError error) noexcept {
  switch (error) {
    case DeltaError::syntax:
      return "syntax";
    case DeltaError::number:
      return "number";
    case DeltaError::too_big:
      return "too_big";
    case DeltaError::copy_outside:
      return "copy_outside";
    case DeltaError::insert_outside:
      return "insert_outside";
    case DeltaError::wrong_size:
      return "wrong_size";
    case DeltaError::checksum:
      return "checksum";
  }
  return "syntax";
}

std::expected<std::string, DeltaError> apply_delta(std::string_view source, std::string_view delta,
                                                   std::size_t size_max) {
  DeltaReader reader(delta);
  const auto size = reader.number();
  if (!size) return std::unexpected(size.error());
  if (reader.mark() != '\n') return std::unexpected(DeltaError::syntax);
  if (*size > size_max) return std::unexpected(DeltaError::too_big);
  std::string target;
  while (true) {
    const auto count = reader.number();
    if (!count) return std::unexpected(count.error());
    switch (reader.mark()) {
      case '@': {
        const auto offset = reader.number();
        if (!offset) return std::unexpected(offset.error());
        if (reader.mark() != ',') return std::unexpected(DeltaError::syntax);
        if (*count > *size - target.size()) return std::unexpected(DeltaError::wrong_size);
        if (*offset > source.size() || *count > source.size() - *offset) {
          return std::unexpected(DeltaError::copy_outside);
        }
        target += source.substr(*offset, *count);
        break;
      }
      case ':': {
        if (*count > *size - target.size()) return std::unexpected(DeltaError::wrong_size);
        const auto bytes = reader.take(*count);
        if (!bytes) return std::unexpected(DeltaError::insert_outside);
        target += *bytes;
        break;
      }
      case ';':
        if (!reader.at_end()) return std::unexpected(DeltaError::syntax);
        if (target.size() != *size) return std::unexpected(DeltaError::wrong_size);
        if (checksum(target) != *count) return std::unexpected(DeltaError::checksum);
        return target;
      default:
        return std::unexpected(DeltaError::syntax);
    }
  }
}

}  // namespace codec
