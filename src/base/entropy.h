// Entropy: random numbers as an injected interface. Production wires the kernel's generator (loop), tests and the
// simulator a seeded one, so that every run can be repeated. Not thread safe: one per worker.
#pragma once

#include <array>
#include <cstdint>

namespace base {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual std::uint64_t next() = 0;

  std::uint32_t next32() { return static_cast<std::uint32_t>(next() >> 32); }
  // Uniform in [0, bound); bound > 0. Multiply-shift: the bias is below 2^-32 for the small bounds used here.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{next32()} * bound) >> 32);
  }
};

// Deterministic generator for tests and the simulator: splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace base
