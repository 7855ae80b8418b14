#include "loop/system_error.h"

#include <cctype>
#include <cstring>

namespace loop {

std::string error_text(int error) {
  const char* const description = ::strerrordesc_np(error);
  const char* const name = ::strerrorname_np(error);
  if (description == nullptr || name == nullptr) return "error " + std::to_string(error);
  std::string text = description;
  text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text + " (" + name + ")";
}

}  // namespace loop
