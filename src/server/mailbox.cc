#include "server/mailbox.h"

#include "base/assert.h"

namespace server {

void Mailbox::push(hub::Mail mail) {
  if (hub::class_of(mail) == hub::MailClass::consequence) ++pushed_;
  const bool pushed = ring_.try_push(std::move(mail));
  ASSERT(pushed);
}

bool Mailbox::pop(hub::Mail& mail) {
  if (!ring_.try_pop(mail)) return false;
  if (hub::class_of(mail) == hub::MailClass::consequence) popped_.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

}  // namespace server
