#include "egress/egress.h"

#include <array>

namespace egress {

std::string_view to_string(Failure failure) {
  constexpr std::array<std::string_view, kFailures> kNames = {
      "none", "busy", "denied", "unresolved", "unreachable", "timeout", "too_large", "broken", "stopped"};
  return kNames[static_cast<std::size_t>(failure)];
}

void Inbox::put(Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  owner_.wake();
}

std::vector<Answer> Inbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

}  // namespace egress
