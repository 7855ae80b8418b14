#include "client/core/refusal.h"

#include <algorithm>
#include <charconv>

#include "codec/json_in.h"

namespace client {
namespace {

std::optional<base::Duration> seconds(std::uint64_t count) {
  return std::min<base::Duration>(std::chrono::seconds(std::min<std::uint64_t>(count, 86'400)), kRetryAfterMax);
}

// Retry-After as a number of seconds; the form with a date is not used by our servers.
std::optional<base::Duration> header_retry_after(const http::ResponseHead& head) {
  auto value = head.find("retry-after");
  if (!value) return std::nullopt;
  std::uint64_t count = 0;
  auto [end, failure] = std::from_chars(value->data(), value->data() + value->size(), count);
  if (failure != std::errc{} || end != value->data() + value->size()) return std::nullopt;
  return seconds(count);
}

}  // namespace

bool Refusal::passing() const {
  if (status >= 500) return status != 501 && status != 505;
  return status == 408 || status == 425 || status == 429;
}

std::string Refusal::text() const {
  if (code.empty()) return "HTTP " + std::to_string(status);
  return message.empty() ? code : code + " " + message;
}

Refusal read_refusal(const http::ResponseHead& head, std::string_view body) {
  Refusal refusal;
  refusal.status = head.status;
  refusal.retry_after = header_retry_after(head);
  auto json = codec::JsonValue::parse(body);
  if (!json) return refusal;
  auto code = json->find("code");
  auto text = code ? code->string() : std::nullopt;
  if (!text || !text->starts_with("E_")) return refusal;
  refusal.code = std::move(*text);
  if (auto message = json->find("message")) refusal.message = message->string().value_or("");
  if (auto after = json->find("retry_after")) {
    if (auto count = after->unsigned_integer()) refusal.retry_after = seconds(*count);
  }
  return refusal;
}

std::optional<PublishedAnswer> read_published(std::string_view body) {
  auto json = codec::JsonValue::parse(body);
  if (!json) return std::nullopt;
  auto epoch = json->find("epoch");
  auto offset = json->find("offset");
  if (!epoch || !offset) return std::nullopt;
  auto name = epoch->string();
  auto number = offset->unsigned_integer();
  if (!name || !number) return std::nullopt;
  auto position = parse_position(*name + ":" + std::to_string(*number));
  if (!position) return std::nullopt;
  PublishedAnswer answer{.position = *std::move(position), .level = {}};
  if (auto level = json->find("level")) answer.level = level->string().value_or("");
  if (auto workers = json->find("workers")) answer.workers = workers->unsigned_integer().value_or(0);
  return answer;
}

}  // namespace client
