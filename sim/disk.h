// A disk that exists only in memory and remembers what would survive: store::Disk whose power can be cut and whose
// operations can fail, from one seed.
//
// What it models, because programs get it wrong: what is written lies in the kernel's memory until a sync, and the
// power takes any subset of it, in sectors of 512 bytes; what a folder says of its files needs a sync of its own; a
// sync that fails says so once, loses what it should have written, and leaves it to be read as if it were there; a full
// disk takes the beginning of a write. What it does not: sectors that rot, sectors that are torn themselves.
//
// One thread. Files may be open while the power is cut: they must not be used afterwards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/entropy.h"
#include "store/disk.h"

namespace sim {

class Disk final : public store::Disk {
 public:
  explicit Disk(std::uint64_t seed, std::uint64_t capacity = 1ULL << 40) : entropy_(seed), capacity_(capacity) {}
  // The same disk in the same state, with choices of its own from now on.
  std::unique_ptr<Disk> copy(std::uint64_t seed) const;

  std::expected<std::unique_ptr<store::File>, store::DiskError> open(std::string_view name, Mode mode) override;
  bool exists(std::string_view name) override { return folder_.contains(name); }
  store::DiskError remove(std::string_view name) override;
  store::DiskError rename(std::string_view from, std::string_view to) override;
  store::DiskError sync_folder() override;
  std::expected<std::uint64_t, store::DiskError> free_bytes() override;
  std::string path_of(std::string_view name) const override { return "data/" + std::string(name); }

  // ---- what the test does to it ----

  // Of what was not synced any part is lost.
  void cut_power();

  // Everything that changes something counts: writes, truncations, syncs, new names.
  std::uint64_t operations() const { return operations_; }
  enum class Fault : std::uint8_t { none, failed, full };  // full: of what takes room; others fail
  // The operation after so many more fails, and those after it do not.
  void fail_after(std::uint64_t operations, Fault fault) {
    fault_ = fault;
    fault_at_ = operations_ + operations;
  }
  void fail_next_sync() { sync_fails_ = true; }
  bool fault_pending() const { return fault_ != Fault::none; }
  // Called before each of them.
  std::function<void()> before_operation;

  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  std::uint64_t used() const;

  // What a program reads now, and its change behind everybody's back: to be damaged.
  std::string* content(std::string_view name);

 private:
  class OpenFile;
  struct Change {  // not synced
    std::uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;  // to `offset`
  };
  struct Inode {
    std::string content;  // as it is read
    std::string durable;
    std::vector<Change> changes;  // from durable to content
  };
  using InodeRef = std::shared_ptr<Inode>;
  struct NameChange {  // not synced
    std::string name;
    InodeRef inode;        // null: removed
    std::string old_name;  // of a rename: goes with it
  };

  Fault next_operation();
  void apply(const NameChange& change, std::map<std::string, InodeRef, std::less<>>& folder) const;
  void lose_some(Inode& inode, std::uint32_t percent_kept);

  base::SeededEntropy entropy_;
  std::uint64_t capacity_;
  std::map<std::string, InodeRef, std::less<>> folder_, durable_folder_;
  std::vector<NameChange> name_changes_;
  std::uint64_t operations_ = 0;
  Fault fault_ = Fault::none;
  std::uint64_t fault_at_ = 0;
  bool sync_fails_ = false;
};

}  // namespace sim
