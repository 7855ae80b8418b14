#include "door/centrifuge/key_bases.h"

#include <utility>

#include "base/assert.h"

namespace door::centrifuge {

hub::MessageRef KeyBases::exchange(const hub::MessageRef& message) {
  ASSERT(message->extras() != nullptr);
  const hub::Extras& extras = *message->extras();
  const auto found = sent_.extract(extras.key);
  hub::MessageRef before = found.empty() ? nullptr : found.mapped();
  if (!extras.removed && sent_.size() < kKeyBasesMax) sent_.emplace(extras.key, message);
  return before;
}

}  // namespace door::centrifuge
