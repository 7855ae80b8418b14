#include "app/banner.h"

#include <fmt/format.h>

#include "server/version.h"

namespace app {
namespace {

std::string url_of(const server::Listener& listener) {
  if (listener.address.starts_with("unix:")) return listener.address;
  std::string address = listener.address;
  if (address.starts_with(':')) address.insert(0, "localhost");
  return fmt::format("{}://{}/", listener.tls ? "https" : "http", address);
}

}  // namespace

std::string banner(const server::Options& options, std::span<const server::Listener> listeners) {
  std::string text =
      fmt::format("wirebird {}{}\n\n", server::kVersion, options.dev ? " (--dev: everybody may do everything)" : "");
  for (const server::Listener& each : listeners) {
    text += fmt::format("  {:<10} {}\n", each.admin ? "admin" : "listening", url_of(each));
  }
  if (!options.dev || listeners.empty() || listeners.front().address.starts_with("unix:")) return text;
  const std::string url = url_of(listeners.front());
  const std::string ws = (listeners.front().tls ? "wss" : "ws") + url.substr(url.find(':'));
  text += fmt::format(R"(
  demo page  {0}
  WebSocket  {1}ws/news
  events     {0}sse?channel=news
  polling    {0}poll?channel=news

Publish:

  curl -d 'hello' {0}pub/news

Watch from a page served by any http://localhost:

  <script>
    let cursor = "", failures = 0;
    (function watch() {{
      const ws = new WebSocket("{1}ws/news?meta=1&since=" + cursor);
      ws.onmessage = (event) => {{
        const m = JSON.parse(event.data);
        failures = 0;
        if (m.position) cursor = m.position;
        if (m.offset) cursor = m.epoch + ":" + m.offset;
        document.body.append(event.data, document.createElement("br"));
      }};
      ws.onclose = (event) => {{
        const [, min, max] = /^E_DRAINING \D+(\d+)\D+(\d+)/.exec(event.reason) ?? [0, 0, Math.min(30000, 500 * 2 ** failures++)];
        setTimeout(watch, +min + Math.random() * (max - min));
      }};
    }})();
  </script>

)",
                      url, ws);
  return text;
}

}  // namespace app
