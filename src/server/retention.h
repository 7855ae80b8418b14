// What the configuration says about how much of a durable channel is kept, as the ledger asks. Immutable, of one
// snapshot.
#pragma once

#include <string_view>
#include <utility>

#include "server/snapshot.h"
#include "store/rules.h"

namespace server {

class NamespaceRetention final : public store::RetentionRules {
 public:
  explicit NamespaceRetention(SnapshotRef snapshot) : snapshot_(std::move(snapshot)) {}
  store::Retention of(std::string_view channel) const override;

 private:
  SnapshotRef snapshot_;
};

}  // namespace server
