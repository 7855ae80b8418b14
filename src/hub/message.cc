#include "hub/message.h"

#include <limits>

#include "base/assert.h"
#include "hub/limits.h"

namespace hub {

class MessageWithExtras final : public Message {
 public:
  MessageWithExtras(Kind kind, base::SharedBytes payload, base::Instant ingested, Extras extras)
      : Message(kind, std::move(payload), ingested), extras_(std::move(extras)) {
    static_assert(kTagsMax * (sizeof(Tag) + kTagKeyBytesMax + kTagValueBytesMax) + kClientIdentityBytesMax +
                      kEventBytesMax + kMessageKeyBytesMax + kChannelNameBytesMax + sizeof(Extras) <=
                  kExtrasBytesMax);
    static_assert(kExtrasBytesMax / kExtrasUnit < std::numeric_limits<std::uint16_t>::max());
    const std::size_t bytes = extras_.charged_bytes();
    ASSERT(bytes <= kExtrasBytesMax);
    extras_units_ = static_cast<std::uint16_t>((bytes + kExtrasUnit - 1) / kExtrasUnit);
  }

  const Extras& extras_part() const { return extras_; }

 private:
  Extras extras_;
};

std::unique_ptr<Message> Message::make(Kind kind, std::string_view payload, base::Instant ingested, Extras extras) {
  return sharing(kind, base::SharedBytes::copy(payload), ingested, std::move(extras));
}

std::unique_ptr<Message> Message::sharing(Kind kind, base::SharedBytes payload, base::Instant ingested, Extras extras) {
  if (extras.empty()) return std::make_unique<Message>(kind, std::move(payload), ingested);
  return std::make_unique<MessageWithExtras>(kind, std::move(payload), ingested, std::move(extras));
}

void Message::operator delete(Message* message, std::destroying_delete_t) noexcept {
  if (message->extras_units_ == 0) {
    message->~Message();
    ::operator delete(message, sizeof(Message));
  } else {
    auto* const whole = static_cast<MessageWithExtras*>(message);
    whole->~MessageWithExtras();
    ::operator delete(whole, sizeof(MessageWithExtras));
  }
}

const Extras& Message::extras_behind() const { return static_cast<const MessageWithExtras*>(this)->extras_part(); }

}  // namespace hub
