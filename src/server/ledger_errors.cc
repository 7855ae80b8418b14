#include "server/ledger_errors.h"

namespace server {

base::Error error_of(const store::Result& result) {
  if (result.outcome == store::Outcome::unknown) return base::Error::outcome_unknown;
  switch (result.error) {
    case store::Error::none:
      return base::Error::none;
    case store::Error::read_only:
    case store::Error::damaged:
      return base::Error::storage;
    case store::Error::disk_full:
      return base::Error::disk_full;
    case store::Error::memory:
      return base::Error::memory;
    case store::Error::conflict:
      return base::Error::conflict;
    case store::Error::too_large:
      return base::Error::payload_too_big;
    case store::Error::channel:
      return base::Error::bad_channel;
    case store::Error::too_many:
      break;
  }
  return base::Error::internal;
}

base::Error error_of(store::Status status) {
  return status == store::Status::memory ? base::Error::memory : base::Error::storage;
}

}  // namespace server
