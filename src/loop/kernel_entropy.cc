#include "loop/kernel_entropy.h"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "base/assert.h"

namespace loop {

std::uint64_t KernelEntropy::next() {
  if (used_ == words_.size()) {
    // Requests up to 256 bytes are never interrupted once the pool is initialised; larger ones may be short.
    char* const bytes = reinterpret_cast<char*>(words_.data());
    std::size_t have = 0;
    while (have < sizeof words_) {
      const ssize_t got = ::getrandom(bytes + have, sizeof words_ - have, 0);
      ASSERT(got > 0 || errno == EINTR);  // nothing else is possible with these arguments
      if (got > 0) have += static_cast<std::size_t>(got);
    }
    used_ = 0;
  }
  return std::exchange(words_[used_++], 0);
}

}  // namespace loop
