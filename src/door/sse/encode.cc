#include "door/sse/encode.h"

#include <vector>

#include "codec/base64.h"
#include "door/envelope.h"
#include "http/cors.h"
#include "http/response.h"

namespace door::sse {
namespace {

void append_id(std::string& out, std::string_view id) {
  if (id.empty()) return;
  out.append("id: ").append(id).append("\n");
}

// `name` empty: a plain message event. `line` has no line ends.
void append_event(std::string& out, std::string_view id, std::string_view name, std::string_view line) {
  append_id(out, id);
  if (!name.empty()) out.append("event: ").append(name).append("\n");
  out.append("data: ").append(line).append("\n\n");
}

// A stream may be cut into lines by CR as well as by LF, so a CR cannot be carried; LFs come back between data lines.
bool fits_data_lines(const hub::Message& message) {
  return message.kind() != hub::Kind::binary && message.payload().find('\r') == std::string_view::npos;
}

}  // namespace

void append_head(std::string& out, std::string_view allow_origin, std::uint32_t retry_ms) {
  std::vector<http::Field> fields{
      {"Content-Type", "text/event-stream"},
      {"Cache-Control", "no-store, no-transform"},  // no-transform: compressing proxies hold events back
      {"X-Accel-Buffering", "no"},                  // nginx
      {"X-Content-Type-Options", "nosniff"},
  };
  const std::vector<http::Field> cors = http::cors_fields(allow_origin);
  fields.insert(fields.end(), cors.begin(), cors.end());
  http::append_head(out, 200, fields, http::Connection::close, http::Body::none);
  append_retry(out, retry_ms);
}

void append_retry(std::string& out, std::uint32_t retry_ms) {
  out.append("retry: ").append(std::to_string(retry_ms)).append("\n\n");
}

void append_envelope(std::string& out, std::string_view id, std::string_view channel, const hub::Epoch& epoch,
                     const hub::Message& message) {
  append_id(out, id);
  out += "data: ";
  // One line: JSON payloads lost their line ends at ingest, everything else is a JSON string.
  door::append_envelope(out, channel, epoch, message);
  out += "\n\n";
}

void append_raw(std::string& out, std::string_view id, const hub::Message& message) {
  if (!fits_data_lines(message)) return append_event(out, id, "base64", codec::base64_encode(message.payload()));
  append_id(out, id);
  std::string_view rest = message.payload();
  while (true) {
    const std::size_t end = rest.find('\n');
    out.append("data: ").append(rest.substr(0, end)).append("\n");
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  out += '\n';
}

void append_gap(std::string& out, std::string_view id, std::string_view gap_record) {
  append_event(out, id, "gap", gap_record);
}

void append_error(std::string& out, std::string_view error_json) { append_event(out, {}, "error", error_json); }

void append_cursor(std::string& out, std::string_view id) {
  append_id(out, id);
  out += '\n';
}

void append_heartbeat(std::string& out) { out += ":\n\n"; }

}  // namespace door::sse
