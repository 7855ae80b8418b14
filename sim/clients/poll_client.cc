#include "sim/clients/poll_client.h"

#include "codec/url.h"

namespace sim {
namespace {

constexpr http::ResponseLimits kResponseLimits;

}  // namespace

PollClient::PollClient(Visit visit, const DoorOptions& options)
    : DoorClient(std::move(visit)), options_(options), response_(kResponseLimits) {}

std::string PollClient::request() {
  std::string request = "GET " + target_of("/poll", visit_.channels);
  request += "limit=" + std::to_string(options_.poll_limit) + "&timeout=" + std::to_string(options_.poll_timeout_s);
  if (const std::string since = since_text(visit_, options_); !since.empty()) {
    request += "&since=";
    codec::append_percent_encoded(request, since);
  }
  return request + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

void PollClient::receive(std::span<char> bytes, base::Instant now, std::string&) {
  std::string_view rest(bytes.data(), bytes.size());
  while (!rest.empty() && !over_) {
    rest.remove_prefix(response_.receive(rest));
    if (response_.status() == http::ResponseReader::Status::failed) return end(Visit::End::lost, 0, "bad response");
    if (response_.status() != http::ResponseReader::Status::done) continue;
    if (response_.response().status == 200) {
      take_answer(now);
    } else {
      end(Visit::End::refused, response_.response().status, response_.body());
    }
  }
}

void PollClient::take_answer(base::Instant now) {
  const auto answer = codec::JsonValue::parse(response_.body(), codec::kJsonDepthMax + 3);
  const auto messages = answer ? answer->find("messages") : std::nullopt;
  const auto cursor = answer ? answer->find("cursor") : std::nullopt;
  if (!messages || !cursor || !cursor->string()) return end(Visit::End::lost, 200, "not an answer");
  codec::JsonElements records(*messages);
  while (const auto record = records.next()) {
    if (!take_record(record->raw(), now)) return;
  }
  take_cursor(*cursor->string(), now, false);
  keeps_connection_ = response_.response().keep_alive;
  end(Visit::End::answered, 200);
}

void PollClient::receive_eof() { end(Visit::End::lost); }

}  // namespace sim
