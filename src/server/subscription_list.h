// The subscriptions of one peer in the order of its request. Nearly every peer has one: it lives here; more than one
// live in a vector. 16 bytes at rest. Threads: owned by one worker.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "hub/fan_out.h"

namespace server {

class SubscriptionList {
 public:
  using Id = hub::SubscriptionId;

  bool empty() const { return size() == 0; }
  std::size_t size() const { return many_ ? many_->size() : only_.generation == 0 ? 0 : 1; }
  Id front() const { return *begin(); }  // not empty
  const Id* begin() const { return many_ ? many_->data() : &only_; }
  const Id* end() const { return begin() + size(); }

  void push_back(Id id) {
    if (!many_ && empty()) {
      only_ = id;
      return;
    }
    if (!many_) many_ = std::make_unique<std::vector<Id>>(1, only_);
    many_->push_back(id);
  }
  void remove(Id id) {
    if (many_) {
      std::erase(*many_, id);
    } else if (only_ == id) {
      only_ = {};
    }
  }
  void clear() {
    only_ = {};
    many_.reset();
  }

 private:
  Id only_;  // unless there are many
  std::unique_ptr<std::vector<Id>> many_;
};
static_assert(sizeof(SubscriptionList) == 16);

}  // namespace server
