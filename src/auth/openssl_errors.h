// OpenSSL leaves what failed in a queue of the thread, and TLS connections of the same thread would find it there and
// take it for theirs. While one of these lives, everything that is added is taken out again at its end.
#pragma once

#include <openssl/err.h>

namespace auth {

class OpensslErrors {
 public:
  OpensslErrors() { ERR_set_mark(); }
  ~OpensslErrors() { ERR_pop_to_mark(); }
  OpensslErrors(const OpensslErrors&) = delete;
  OpensslErrors& operator=(const OpensslErrors&) = delete;
};

}  // namespace auth
