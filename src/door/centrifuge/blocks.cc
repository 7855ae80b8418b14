#include "door/centrifuge/blocks.h"

#include <algorithm>
#include <forward_list>
#include <string>

namespace door::centrifuge {

base::SharedBytes Blocks::whole(Carrier carrier) {
  const auto found = std::ranges::find(whole_, carrier, &Whole::carrier);
  if (found != whole_.end()) return found->bytes;
  return whole_.emplace_back(carrier, pack(carrier, batch_.messages)).bytes;
}

base::SharedBytes Blocks::deltas(Carrier carrier, const hub::MessageRef& base) {
  // What was sent last matters only to a delta: the first message says whether it may be one, the others go from there.
  const hub::MessageRef none;
  const hub::MessageRef& from = batch_.messages.front()->has(hub::Mark::delta) ? base : none;
  for (const Deltas& each : deltas_) {
    if (each.base == from && each.carrier == carrier) return each.bytes;
  }
  base::SharedBytes bytes = pack_deltas(carrier, from.get());
  if (deltas_.size() < kBasesMax) deltas_.push_back({carrier, from, bytes});
  return bytes;
}

base::SharedBytes Blocks::some(Carrier carrier, std::span<const std::uint32_t> places) {
  if (places.empty()) return {};
  if (places.size() == batch_.messages.size()) return whole(carrier);
  std::vector<base::SharedBytes>& each = each_of(carrier);
  for (const std::uint32_t place : places) {
    if (each[place].empty()) each[place] = pack(carrier, batch_.messages.subspan(place, 1));
  }
  if (places.size() == 1) return each[places.front()];
  std::string together;
  for (const std::uint32_t place : places) together += each[place].view();
  return base::SharedBytes::copy(together);
}

base::SharedBytes Blocks::pack(Carrier carrier, std::span<const hub::MessageRef> messages) {
  ++encodings_;
  Packer packer(carrier);
  for (const hub::MessageRef& message : messages) {
    packer.add({.body = push_of(batch_.channel, *message, scope_)});
  }
  return base::SharedBytes::copy(packer.take());
}

base::SharedBytes Blocks::pack_deltas(Carrier carrier, const hub::Message* base) {
  ++encodings_;
  Packer packer(carrier);
  std::forward_list<std::string> made;
  for (const hub::MessageRef& message : batch_.messages) {
    made.clear();
    packer.add({.body = Push{.channel = batch_.channel,
                             .body = publication_as_delta(*message, base, carrier.format, scope_, made)}});
    base = message.get();
  }
  return base::SharedBytes::copy(packer.take());
}

std::vector<base::SharedBytes>& Blocks::each_of(Carrier carrier) {
  const auto found = std::ranges::find(each_, carrier, &Each::carrier);
  if (found != each_.end()) return found->bytes;
  return each_.emplace_back(carrier, std::vector<base::SharedBytes>(batch_.messages.size())).bytes;
}

}  // namespace door::centrifuge
