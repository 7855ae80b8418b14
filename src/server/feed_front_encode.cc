// Batches of messages as the bytes of each wire format.
#include "base/assert.h"
#include "door/envelope.h"
#include "door/plain/encode.h"
#include "door/sse/encode.h"
#include "server/feed_front.h"
#include "ws/deflate.h"
#include "ws/frame.h"

namespace server {

base::SharedBytes FeedFront::encode(Format format, const hub::Batch& batch) {
  using Carrier = door::centrifuge::Carrier;
  if (format == Format::centrifuge_json || format == Format::centrifuge_protobuf) {
    const bool json = format == Format::centrifuge_json;
    return base::SharedBytes::copy(
        centrifuge_.encode_shared(json ? Carrier::Format::json : Carrier::Format::protobuf, batch));
  }
  text_.clear();
  for (const hub::MessageRef& message : batch.messages) {
    switch (format) {
      case Format::ws_raw:
        door::plain::append_raw(text_, *message);
        break;
      case Format::ws_envelope:
        door::plain::append_envelope(text_, batch.channel, batch.epoch, *message);
        break;
      case Format::ws_raw_deflate:
      case Format::ws_raw_deflate_small:
        text_ +=
            ws::encode_deflated_server_frame(door::plain::raw_opcode(*message), message->payload(), deflater_of(format))
                .view();
        break;
      case Format::ws_envelope_deflate:
      case Format::ws_envelope_deflate_small:
        record_.clear();
        door::append_envelope(record_, batch.channel, batch.epoch, *message);
        text_ += ws::encode_deflated_server_frame(ws::Opcode::text, record_, deflater_of(format)).view();
        break;
      case Format::sse_envelope:
      case Format::sse_raw:
        cursor_.clear();
        hub::append_position(cursor_, {batch.epoch, message->offset()});
        if (format == Format::sse_envelope) {
          door::sse::append_envelope(text_, cursor_, batch.channel, batch.epoch, *message);
        } else {
          door::sse::append_raw(text_, cursor_, *message);
        }
        break;
      case Format::centrifuge_json:
      case Format::centrifuge_protobuf:
      case Format::individual:
      case Format::count:
        ASSERT(false);
    }
  }
  return base::SharedBytes::copy(text_);
}

ws::Deflater& FeedFront::deflater_of(Format format) {
  if (format == Format::ws_raw_deflate || format == Format::ws_envelope_deflate) return deflater_;
  if (!small_deflater_) small_deflater_.emplace(ws::kDeflateBitsMin);
  return *small_deflater_;
}

// Into text_.
void FeedFront::append_events(const Peer& peer, hub::Position& position, const hub::Batch& batch) {
  text_.clear();
  for (const hub::MessageRef& message : batch.messages) {
    position = {batch.epoch, message->offset()};
    cursor_.clear();
    if (!peer.feed()->append_cursor(cursor_)) cursor_.clear();
    door::sse::append_envelope(text_, cursor_, batch.channel, batch.epoch, *message);
  }
}

// Into text_, with this connection's own deflater.
void FeedFront::append_compressed(Peer& peer, const hub::Batch& batch) {
  text_.clear();
  for (const hub::MessageRef& message : batch.messages) {
    desk_.scratch.clear();
    if (peer.envelope) {
      record_.clear();
      door::append_envelope(record_, batch.channel, batch.epoch, *message);
      peer.session.send_text(desk_.scratch, record_);
    } else if (message->kind() == hub::Kind::binary) {
      peer.session.send_binary(desk_.scratch, message->payload());
    } else {
      peer.session.send_text(desk_.scratch, message->payload());
    }
    text_ += desk_.scratch.output();
  }
}

}  // namespace server
