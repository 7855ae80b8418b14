#include "ws/partial_message.h"

namespace ws {
namespace {

base::Error error_of(Inflater::Status status) {
  switch (status) {
    case Inflater::Status::ok:
      return base::Error::none;
    case Inflater::Status::broken:
      return base::Error::ws_inflate;
    case Inflater::Status::too_big:
      return base::Error::ws_inflated_too_big;
  }
  return base::Error::internal;
}

}  // namespace

base::Error PartialMessage::append(std::string_view piece, std::size_t bytes_max) {
  bytes_.append(piece, bytes_max);
  return compressed_ == Compressed::no ? judge_text(piece) : base::Error::none;
}

base::Error PartialMessage::finish(std::string_view last_piece, std::size_t bytes_max) {
  const base::Error error = append(last_piece, bytes_max);
  if (error != base::Error::none) return error;
  return opcode_ == Opcode::text && !text_.complete() ? base::Error::ws_utf8 : base::Error::none;
}

base::Error PartialMessage::inflate(std::string_view last_piece, std::size_t bytes_max, Inflater& inflater,
                                    GrowingBytes blank) {
  GrowingBytes payload = std::move(blank);
  Inflater::Status status = inflater.append(payload, bytes_.view(), bytes_max);
  if (status == Inflater::Status::ok) status = inflater.append(payload, last_piece, bytes_max);
  if (status == Inflater::Status::ok) status = inflater.finish(payload, bytes_max);
  bytes_ = std::move(payload);
  const base::Error text = judge_text(bytes_.view());
  if (text != base::Error::none) return text;
  if (status != Inflater::Status::ok) return error_of(status);
  return opcode_ == Opcode::text && !text_.complete() ? base::Error::ws_utf8 : base::Error::none;
}

base::Error PartialMessage::judge_text(std::string_view text) {
  return opcode_ == Opcode::text && !text_.feed(text) ? base::Error::ws_utf8 : base::Error::none;
}

}  // namespace ws
