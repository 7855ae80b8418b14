// base::Entropy of the kernel: getrandom(2), 512 bytes at a time, because one call costs as much for 8 bytes as for
// hundreds. Words are wiped as they are handed out. One per worker; not thread safe.
#pragma once

#include <array>
#include <cstddef>

#include "base/entropy.h"

namespace loop {

class KernelEntropy final : public base::Entropy {
 public:
  KernelEntropy() = default;
  KernelEntropy(const KernelEntropy&) = delete;
  KernelEntropy& operator=(const KernelEntropy&) = delete;

  std::uint64_t next() override;

 private:
  std::array<std::uint64_t, 64> words_{};
  std::size_t used_ = 64;
};

}  // namespace loop
