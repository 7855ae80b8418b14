#include "server/mailbox.h"

#include "base/assert.h"

namespace server {
namespace {

bool is_consequence(const hub::Mail& mail) {
  return std::holds_alternative<hub::Delivery>(mail) || std::holds_alternative<hub::Detach>(mail);
}

}  // namespace

void Mailbox::push(hub::Mail mail) {
  if (is_consequence(mail)) ++pushed_;
  const bool pushed = ring_.try_push(std::move(mail));
  ASSERT(pushed);
}

bool Mailbox::pop(hub::Mail& mail) {
  if (!ring_.try_pop(mail)) return false;
  if (is_consequence(mail)) popped_.fetch_add(1, std::memory_order_seq_cst);
  return true;
}

}  // namespace server
