// Answers of hooks against bytes: what is taken keeps its promises, and an error or disconnect is the same whatever was
// asked.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "codec/json_in.h"
#include "door/hook/answer.h"
#include "door/hook/status_rule.h"

namespace {

using namespace door::hook;

void check(const Payload& payload) {
  if (payload.kind == Payload::Kind::none) ASSERT(payload.bytes.empty());
  if (payload.kind != Payload::Kind::json) return;
  ASSERT(codec::check_json(payload.bytes) == base::Error::none);
  ASSERT(payload.bytes.find_first_of("\r\n") == std::string::npos);
}

void check_meta(const std::string& meta) {
  if (!meta.empty()) ASSERT(codec::JsonValue::parse(meta)->type() == codec::JsonValue::Type::object);
}

void check(const ConnectResult& result) {
  ASSERT(auth::valid_subject(result.user) && result.channels.size() <= kListMax && result.subs.size() <= kListMax);
  ASSERT(result.sub_expiries.size() <= result.subs.size());
  check(result.info);
  check(result.data);
  check_meta(result.meta);
  for (const auto& sub : result.subs) {
    check(sub.info);
    check(sub.data);
  }
}
void check(const RefreshResult& result) {
  check(result.info);
  check_meta(result.meta);
}
void check(const SubscribeResult& result) {
  check(result.info);
  check(result.data);
}
void check(const SubRefreshResult& result) { check(result.info); }
void check(const PublishResult& result) {
  check(result.data);
  ASSERT(result.tags.size() <= kListMax);
}
void check(const RpcResult& result) { check(result.data); }
void check(const CacheEmptyResult&) {}
void check(const Error& error) { ASSERT(valid_error_code(error.code)); }
void check(const Disconnect& disconnect) {
  ASSERT(valid_disconnect_code(disconnect.code) && disconnect.reason.size() <= kReasonBytesMax);
  ASSERT(fitting_reason(disconnect.reason) == disconnect.reason);
}

template <class Result>
void read(std::string_view input, const Answer<RpcResult>* rpc) {
  const auto answer = read_answer<Result>(input);
  if (!answer) {
    ASSERT(!answer.error().empty());
    return;
  }
  std::visit([](const auto& each) { check(each); }, *answer);
  if (answer->index() == 0) return;
  ASSERT(rpc != nullptr && rpc->index() == answer->index());
  if (const auto* error = std::get_if<Error>(&*answer)) ASSERT(*error == std::get<Error>(*rpc));
  if (const auto* disconnect = std::get_if<Disconnect>(&*answer)) ASSERT(*disconnect == std::get<Disconnect>(*rpc));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const auto rpc = read_answer<RpcResult>(input);
  const auto* const same = rpc ? &*rpc : nullptr;
  read<ConnectResult>(input, same);
  read<RefreshResult>(input, same);
  read<SubscribeResult>(input, same);
  read<SubRefreshResult>(input, same);
  read<PublishResult>(input, same);
  read<RpcResult>(input, same);
  read<CacheEmptyResult>(input, same);
  if (const auto rule = parse_status_rule(input)) std::visit([](const auto& each) { check(each); }, rule->meaning);
  return 0;
}
