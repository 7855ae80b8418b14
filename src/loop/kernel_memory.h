// loop::Memory of this process. Any thread.
#pragma once

#include "loop/io.h"
#include "loop/resource.h"

namespace loop {

class KernelMemory final : public Memory {
 public:
  std::uint64_t resident_bytes() override { return loop::resident_bytes(); }
  void return_free() override { return_free_memory(); }
};

}  // namespace loop
