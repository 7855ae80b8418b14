#include "client/bench/dialect.h"

#include <algorithm>

#include "codec/url.h"

namespace client::bench {
namespace {

using Mode = BenchOptions::Mode;

// Path and query stand in a request line.
bool fits_request_line(std::string_view path) {
  return path.empty() || (path.front() == '/' && std::ranges::all_of(path, [](char c) { return c > ' ' && c < 0x7f; }));
}

std::string own_path(const BenchOptions& options, const ServerUrl& url) {
  if (options.mode != Mode::echo && options.mode != Mode::connect) return url.path + "/ws/{channel}";
  const std::string path = url.path.empty() && url.query.empty() ? "/echo" : url.path.empty() ? "/" : url.path;
  return url.query.empty() ? path : path + "?" + url.query;
}

}  // namespace

std::expected<Dialect, std::string> Dialect::from(const BenchOptions& options, const ServerUrl& url) {
  if (!fits_request_line(options.path)) return std::unexpected("--path begins with / and has no spaces");
  if (!fits_request_line(options.publish_path))
    return std::unexpected("--publish-path begins with / and has no spaces");
  const bool is_foreign = !options.path.empty() || !options.publish_path.empty() || !options.hello_text.empty() ||
                          !options.subscribe_text.empty() || !options.publish_text.empty();
  const bool has_pure_publishers = options.mode == Mode::fan_out || options.mode == Mode::fan_in;
  if (options.publish == BenchOptions::Publish::post && !has_pure_publishers)
    return std::unexpected("--post is for fan-out and fan-in");

  Dialect dialect;
  dialect.wrapping_ = is_foreign ? Wrapping::wrapped : Wrapping::bare;
  dialect.frames_ = options.frames;
  dialect.subprotocol_ = options.subprotocol;
  dialect.by_post_ = options.publish == BenchOptions::Publish::post || (options.mode == Mode::fan_in && !is_foreign);
  const std::string path = options.path.empty() ? own_path(options, url) : options.path;
  dialect.path_ = TextTemplate(path);
  dialect.publish_path_ = TextTemplate(!options.publish_path.empty() ? options.publish_path
                                       : dialect.by_post_            ? url.path + "/pub/{channel}"
                                                                     : path);
  struct Text {
    std::string_view flag;
    const std::string& given;
    TextTemplate& kept;
  };
  const std::string publish_text = options.publish_text.empty() ? "{payload}" : options.publish_text;
  for (const Text& text : {Text{"--hello-text", options.hello_text, dialect.hello_},
                           Text{"--subscribe-text", options.subscribe_text, dialect.subscribe_},
                           Text{"--publish-text", publish_text, dialect.publish_}}) {
    if (options.frames == BenchOptions::Frames::text) {
      text.kept = TextTemplate(text.given);
      continue;
    }
    const auto bytes = unescape(text.given);
    if (!bytes) return std::unexpected(std::string(text.flag) + ": " + bytes.error());
    text.kept = TextTemplate(*bytes);
  }
  if (!dialect.publish_.has_payload())
    return std::unexpected("--publish-text has no {payload}: it holds the number by which a message is known");
  return dialect;
}

std::string Dialect::filled(const TextTemplate& path, std::string_view channel) {
  std::string name;
  codec::append_percent_encoded(name, channel);
  std::string target;
  path.fill(target, name, {});
  return target;
}

}  // namespace client::bench
