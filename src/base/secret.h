// Secret: text that must not be printed: an API key, a signing key. It has no formatter and no stream operator, so a
// log line with a Secret in it does not compile; whoever needs the text says reveal(), which is easy to find in review.
// Plain value; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace base {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  std::string_view reveal() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

  // For comparing two configurations. Credentials of a peer are compared by auth::ApiKeys and auth::TokenVerifier.
  // The time depends on the sizes only.
  friend bool operator==(const Secret& a, const Secret& b) noexcept {
    if (a.text_.size() != b.text_.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.text_.size(); ++i) {
      difference |= static_cast<unsigned>(a.text_[i] ^ b.text_[i]);
    }
    return difference == 0;
  }

 private:
  std::string text_;
};

}  // namespace base
