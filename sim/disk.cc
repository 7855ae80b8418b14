#include "sim/disk.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "base/assert.h"

namespace sim {
namespace {

using store::DiskError;

constexpr std::size_t kSector = 512;

void write_at(std::string& into, std::uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  if (into.size() < offset + bytes.size()) into.resize(offset + bytes.size(), '\0');
  into.replace(offset, bytes.size(), bytes);
}

}  // namespace

class Disk::OpenFile final : public store::File {
 public:
  OpenFile(Disk& disk, InodeRef inode, Mode mode) : disk_(disk), inode_(std::move(inode)), mode_(mode) {}

  std::expected<std::size_t, DiskError> read(std::uint64_t offset, std::span<char> into) override {
    if (offset >= inode_->content.size()) return 0;
    const std::string_view rest = std::string_view(inode_->content).substr(offset, into.size());
    std::copy(rest.begin(), rest.end(), into.begin());
    return rest.size();
  }

  DiskError write(std::uint64_t offset, std::string_view bytes) override {
    ASSERT(mode_ != Mode::read);
    Fault fault = disk_.next_operation();
    const std::uint64_t grows =
        offset + bytes.size() > inode_->content.size() ? offset + bytes.size() - inode_->content.size() : 0;
    if (fault == Fault::none && disk_.used() + grows > disk_.capacity_) fault = Fault::full;
    if (fault != Fault::none) bytes = bytes.substr(0, disk_.entropy_.below(static_cast<std::uint32_t>(bytes.size())));
    write_at(inode_->content, offset, bytes);
    if (!bytes.empty()) inode_->changes.push_back({offset, std::string(bytes), false});
    return error_of(fault);
  }

  DiskError truncate(std::uint64_t bytes) override {
    ASSERT(mode_ != Mode::read);
    if (disk_.next_operation() != Fault::none) return DiskError::failed;
    inode_->content.resize(bytes, '\0');
    inode_->changes.push_back({bytes, {}, true});
    return DiskError::none;
  }

  DiskError allocate(std::uint64_t bytes) override {
    if (const Fault fault = disk_.next_operation(); fault != Fault::none) return error_of(fault);
    if (bytes <= inode_->content.size()) return DiskError::none;
    if (disk_.used() + bytes - inode_->content.size() > disk_.capacity_) return DiskError::full;
    inode_->content.resize(bytes, '\0');
    inode_->changes.push_back({bytes, {}, true});
    return DiskError::none;
  }

  DiskError sync() override {
    if (disk_.next_operation() != Fault::none || std::exchange(disk_.sync_fails_, false)) {
      // What could not be written is clean for the kernel from now on: read from its memory, never written.
      disk_.lose_some(*inode_, disk_.entropy_.below(101));
      return DiskError::failed;
    }
    // Not a copy of the content: what an earlier sync has lost stays lost.
    disk_.lose_some(*inode_, 100);
    return DiskError::none;
  }

  std::expected<std::uint64_t, DiskError> size() override { return inode_->content.size(); }
  DiskError lock_out_others(std::uint64_t, std::uint64_t) override { return DiskError::none; }  // there are none

 private:
  static DiskError error_of(Fault fault) {
    return fault == Fault::none ? DiskError::none : fault == Fault::full ? DiskError::full : DiskError::failed;
  }

  Disk& disk_;
  InodeRef inode_;
  Mode mode_;
};

std::unique_ptr<Disk> Disk::copy(std::uint64_t seed) const {
  auto other = std::make_unique<Disk>(seed, capacity_);
  std::unordered_map<const Inode*, InodeRef> copies;
  const auto copy_of = [&](const InodeRef& inode) -> InodeRef {
    if (inode == nullptr) return nullptr;
    InodeRef& made = copies[inode.get()];
    if (made == nullptr) made = std::make_shared<Inode>(*inode);
    return made;
  };
  for (const auto& [name, inode] : folder_) other->folder_[name] = copy_of(inode);
  for (const auto& [name, inode] : durable_folder_) other->durable_folder_[name] = copy_of(inode);
  for (const NameChange& change : name_changes_) {
    other->name_changes_.push_back({change.name, copy_of(change.inode), change.old_name});
  }
  return other;
}

Disk::Fault Disk::next_operation() {
  if (before_operation) before_operation();
  const bool now = fault_ != Fault::none && operations_ == fault_at_;
  ++operations_;
  return now ? std::exchange(fault_, Fault::none) : Fault::none;
}

void Disk::apply(const NameChange& change, std::map<std::string, InodeRef, std::less<>>& folder) const {
  if (!change.old_name.empty()) folder.erase(change.old_name);
  if (change.inode == nullptr) {
    folder.erase(change.name);
  } else {
    folder[change.name] = change.inode;
  }
}

std::expected<std::unique_ptr<store::File>, DiskError> Disk::open(std::string_view name, Mode mode) {
  auto found = folder_.find(name);
  if (found == folder_.end()) {
    if (mode != Mode::create) return std::unexpected(DiskError::missing);
    if (const Fault fault = next_operation(); fault != Fault::none) {
      return std::unexpected(fault == Fault::full ? DiskError::full : DiskError::failed);
    }
    name_changes_.push_back({std::string(name), std::make_shared<Inode>(), {}});
    apply(name_changes_.back(), folder_);
    found = folder_.find(name);
  }
  return std::make_unique<OpenFile>(*this, found->second, mode);
}

DiskError Disk::remove(std::string_view name) {
  if (!folder_.contains(name)) return DiskError::missing;
  if (next_operation() != Fault::none) return DiskError::failed;
  name_changes_.push_back({std::string(name), nullptr, {}});
  apply(name_changes_.back(), folder_);
  return DiskError::none;
}

DiskError Disk::rename(std::string_view from, std::string_view to) {
  const auto found = folder_.find(from);
  if (found == folder_.end()) return DiskError::missing;
  if (next_operation() != Fault::none) return DiskError::failed;
  name_changes_.push_back({std::string(to), found->second, std::string(from)});
  apply(name_changes_.back(), folder_);
  return DiskError::none;
}

DiskError Disk::sync_folder() {
  if (next_operation() != Fault::none) return DiskError::failed;
  durable_folder_ = folder_;
  name_changes_.clear();
  return DiskError::none;
}

std::uint64_t Disk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, inode] : folder_) bytes += inode->content.size();
  return bytes;
}

std::expected<std::uint64_t, DiskError> Disk::free_bytes() {
  const std::uint64_t bytes = used();
  return bytes < capacity_ ? capacity_ - bytes : 0;
}

std::string* Disk::content(std::string_view name) {
  const auto found = folder_.find(name);
  return found == folder_.end() ? nullptr : &found->second->content;
}

void Disk::lose_some(Inode& inode, std::uint32_t percent_kept) {
  const auto kept = [&] { return entropy_.below(100) < percent_kept; };
  for (const Change& change : inode.changes) {
    if (change.truncates) {
      if (kept()) inode.durable.resize(change.offset, '\0');
      continue;
    }
    for (std::uint64_t at = change.offset; at < change.offset + change.bytes.size();) {
      const std::uint64_t end =
          std::min<std::uint64_t>((at / kSector + 1) * kSector, change.offset + change.bytes.size());
      if (kept()) write_at(inode.durable, at, std::string_view(change.bytes).substr(at - change.offset, end - at));
      at = end;
    }
  }
  inode.changes.clear();
}

void Disk::cut_power() {
  // None, all, or something between them, and seldom the same share of everything.
  static constexpr std::array<std::uint32_t, 6> kPercent = {0, 10, 50, 90, 99, 100};
  for (const NameChange& change : name_changes_) {
    const std::uint32_t percent = kPercent[entropy_.below(kPercent.size())];
    if (entropy_.below(100) < percent) apply(change, durable_folder_);
  }
  name_changes_.clear();
  folder_ = durable_folder_;
  for (const auto& [name, inode] : folder_) {
    lose_some(*inode, kPercent[entropy_.below(kPercent.size())]);
    inode->content = inode->durable;
  }
}

}  // namespace sim
