#include "app/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace app {

std::expected<void, std::string> make_secret_file(const std::string& path, std::string_view content) {
  const auto refusal = [&](const char* what, int error) {
    return std::unexpected(path + " " + what + ": " + std::generic_category().message(error));
  };
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return refusal("cannot be made", errno);
  int error = 0;
  while (error == 0 && !content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0) {
      if (errno != EINTR) error = errno;
      continue;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(file) != 0 && error == 0) error = errno;
  if (error != 0) return refusal("cannot be written", error);
  return {};
}

}  // namespace app
