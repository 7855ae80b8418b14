// Files that a verb makes: new ones only, for their owner's eyes.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace app {

// Makes `path` with this content, readable and writable for the owner alone; nothing is overwritten. The error is one
// line that begins with the path.
std::expected<void, std::string> make_secret_file(const std::string& path, std::string_view content);

}  // namespace app
