// What clients see of the ledger's and the reader's errors.
#pragma once

#include "base/error.h"
#include "store/command.h"
#include "store/database.h"

namespace server {

base::Error error_of(const store::Result& result);
base::Error error_of(store::Status status);  // of a reader; not ok

}  // namespace server
