#include "sim/clients/sse_client.h"

#include <utility>

#include "codec/base64.h"
#include "codec/url.h"

namespace sim {
namespace {

constexpr http::ResponseLimits kResponseLimits;

}  // namespace

SseClient::SseClient(Visit visit, const DoorOptions& options)
    : DoorClient(std::move(visit)), options_(options), response_(kResponseLimits) {}

std::string SseClient::request() {
  std::string request = "GET " + target_of("/sse", visit_.channels);
  if (visit_.door == Door::sse_raw) request += "meta=0";
  const std::string since = since_text(visit_, options_);
  if (!since.empty() && !options_.last_event_id) {
    request += "&since=";
    codec::append_percent_encoded(request, since);
  }
  request += " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
  if (!since.empty() && options_.last_event_id) request += "Last-Event-ID: " + since + "\r\n";
  return request + "\r\n";
}

void SseClient::receive(std::span<char> bytes, base::Instant now, std::string&) {
  std::string_view rest(bytes.data(), bytes.size());
  while (!rest.empty() && !over_) {
    rest.remove_prefix(response_.receive(rest));
    using Status = http::ResponseReader::Status;
    if (response_.status() == Status::failed) return end(Visit::End::lost, 0, "bad response");
    if (response_.status() == Status::need_more && response_.response().status == 0) continue;
    if (response_.response().status != 200) {
      if (response_.status() == Status::done) {
        end(Visit::End::refused, response_.response().status, response_.body());
      }
      continue;
    }
    take_text(response_.body(), now);
    response_.drop_body();
    if (response_.status() == Status::done) end(Visit::End::by_server, 200);
  }
}

void SseClient::receive_eof() {
  response_.receive_eof();
  end(response_.status() == http::ResponseReader::Status::done ? Visit::End::by_server : Visit::End::lost);
}

// Lines end with CRLF, LF or CR.
void SseClient::take_text(std::string_view text, base::Instant now) {
  for (const char each : text) {
    if (each == '\n' && after_cr_) {
      after_cr_ = false;
      continue;
    }
    after_cr_ = each == '\r';
    if (each == '\n' || each == '\r') {
      take_line(now);
      line_.clear();
      if (over_) return;
    } else {
      line_ += each;
    }
  }
}

void SseClient::take_line(base::Instant now) {
  if (line_.empty()) return take_event(now);
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  if (colon == 0) return;  // a comment
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") {
    type_ = value;
  } else if (name == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  } else if (name == "id") {
    id_ = value;
    has_id_ = true;
  }
}

void SseClient::take_event(base::Instant now) {
  const std::string type = std::exchange(type_, {}), data = std::exchange(data_, {}), id = std::exchange(id_, {});
  const bool has_data = std::exchange(has_data_, false), has_id = std::exchange(has_id_, false);
  if (!has_data) {
    if (has_id) take_cursor(id, now, false);
    return;
  }
  if (visit_.door == Door::sse_raw && type != "gap" && type != "error") {
    const bool encoded = type == "base64";
    take_message({.kind = Told::Kind::message,
                  .payload_kind = encoded ? PayloadKind::any : PayloadKind::json_or_text,
                  .payload = encoded ? codec::base64_decode(data).value_or("?") : data,
                  .at = now});
  } else if (!take_record(data, now)) {
    return;
  }
  if (has_id) take_cursor(id, now, true);
}

}  // namespace sim
