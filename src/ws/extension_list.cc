#include "ws/extension_list.h"

#include "http/syntax.h"

namespace ws {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }

  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  bool take(char expected) {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Empty if there is none.
  std::string_view take_token() {
    std::size_t size = 0;
    while (size < rest_.size() && http::is_token_char(rest_[size])) ++size;
    const std::string_view token = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return token;
  }

  // A token, or a quoted string that is a token once unescaped; empty if there is neither.
  std::string take_value() {
    if (!take('"')) return std::string(take_token());
    std::string value;
    while (!rest_.empty() && rest_.front() != '"') {
      take('\\');
      if (rest_.empty() || !http::is_token_char(rest_.front())) return {};
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    return take('"') ? value : std::string();
  }

 private:
  std::string_view rest_;
};

// extension = token *( OWS ";" OWS token [ "=" ( token / quoted-string ) ] )
std::optional<Extension> read_extension(Reader& reader) {
  Extension extension{.name = reader.take_token(), .parameters = {}};
  if (extension.name.empty()) return std::nullopt;
  for (reader.skip_space(); reader.take(';'); reader.skip_space()) {
    reader.skip_space();
    ExtensionParameter parameter{.name = reader.take_token(), .value = {}};
    if (parameter.name.empty()) return std::nullopt;
    if (reader.take('=')) {
      parameter.value = reader.take_value();
      if (parameter.value->empty()) return std::nullopt;
    }
    extension.parameters.push_back(std::move(parameter));
  }
  return extension;
}

// A comma-separated list; empty elements are allowed (RFC 9110 section 5.6.1).
bool read_list(std::string_view text, std::vector<Extension>& extensions) {
  Reader reader(text);
  while (true) {
    do reader.skip_space();
    while (reader.take(','));
    if (reader.at_end()) return true;
    auto extension = read_extension(reader);
    if (!extension.has_value()) return false;
    extensions.push_back(*std::move(extension));
    reader.skip_space();
    if (!reader.at_end() && !reader.take(',')) return false;
  }
}

}  // namespace

std::optional<std::vector<Extension>> read_extensions(const http::HeaderList& headers) {
  std::vector<Extension> extensions;
  for (const http::Header& header : headers.headers) {
    if (!http::same_name(header.name, kExtensionsHeader)) continue;
    if (!read_list(header.value, extensions)) return std::nullopt;
  }
  return extensions;
}

}  // namespace ws
