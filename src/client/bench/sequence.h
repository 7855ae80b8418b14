// Lost and doubled messages by their numbers 0, 1, 2, ... of one sender to one receiver. A value.
#pragma once

#include <cstdint>

namespace client::bench {

class Sequence {
 public:
  // The numbers of a sender that is heard from now on begin at `next`.
  explicit Sequence(std::uint64_t next = 0) : next_(next) {}

  enum class Verdict : std::uint8_t { expected, jumped, again };
  Verdict receive(std::uint64_t number) {
    if (number < next_) {
      ++doubled_;
      return Verdict::again;
    }
    bool jumped = number > next_;
    lost_ += number - next_;
    next_ = number + 1;
    return jumped ? Verdict::jumped : Verdict::expected;
  }
  // The sender has sent [0, sent) and nothing more will come.
  void end(std::uint64_t sent) {
    if (sent > next_) lost_ += sent - next_;
  }

  std::uint64_t next() const { return next_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t doubled() const { return doubled_; }  // or out of order: late ones were counted as lost before

 private:
  std::uint64_t next_;
  std::uint64_t lost_ = 0;
  std::uint64_t doubled_ = 0;
};

}  // namespace client::bench
