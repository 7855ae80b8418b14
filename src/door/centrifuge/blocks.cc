#include "door/centrifuge/blocks.h"

#include <algorithm>
#include <forward_list>
#include <string>
#include <utility>

namespace door::centrifuge {

base::SharedBytes Blocks::whole(Way way) {
  const auto found = std::ranges::find(whole_, way, &Whole::way);
  if (found != whole_.end()) return found->bytes;
  return whole_.emplace_back(way, pack(way, batch_.messages)).bytes;
}

base::SharedBytes Blocks::deltas(Way way, const hub::MessageRef& base) {
  // What was sent last matters only to a delta: the first message says whether it may be one, the others go from there.
  const hub::MessageRef none;
  const hub::MessageRef& from = batch_.messages.front()->has(hub::Mark::delta) ? base : none;
  for (const Deltas& each : deltas_) {
    if (each.base == from && each.way == way) return each.bytes;
  }
  base::SharedBytes bytes = pack_deltas(way, from.get(), batch_.messages);
  if (deltas_.size() < kBasesMax) deltas_.push_back({way, from, bytes});
  return bytes;
}

base::SharedBytes Blocks::deltas(Way way, const hub::MessageRef& base, std::span<const std::uint32_t> places) {
  if (places.empty()) return {};
  if (places.size() == batch_.messages.size()) return deltas(way, base);
  std::vector<hub::MessageRef> chosen;
  for (const std::uint32_t place : places) chosen.push_back(batch_.messages[place]);
  return pack_deltas(way, base.get(), chosen);
}

base::SharedBytes Blocks::some(Way way, std::span<const std::uint32_t> places) {
  if (places.empty()) return {};
  if (places.size() == batch_.messages.size()) return whole(way);
  std::vector<base::SharedBytes>& each = each_of(way);
  for (const std::uint32_t place : places) {
    if (each[place].empty()) each[place] = pack(way, batch_.messages.subspan(place, 1));
  }
  if (places.size() == 1) return each[places.front()];
  std::string together;
  for (const std::uint32_t place : places) together += each[place].view();
  return base::SharedBytes::copy(together);
}

void Blocks::address(Push& push, Way way) const {
  if (!way.by_number) return;
  push.channel = {};
  push.id = number_;
}

base::SharedBytes Blocks::pack(Way way, std::span<const hub::MessageRef> messages) {
  ++encodings_;
  Packer packer(way.carrier);
  for (const hub::MessageRef& message : messages) {
    Push push = push_of(batch_.channel, *message, scope_);
    address(push, way);
    packer.add({.body = std::move(push)});
  }
  return base::SharedBytes::copy(packer.take());
}

base::SharedBytes Blocks::pack_deltas(Way way, const hub::Message* base, std::span<const hub::MessageRef> messages) {
  ++encodings_;
  Packer packer(way.carrier);
  std::forward_list<std::string> made;
  for (const hub::MessageRef& message : messages) {
    made.clear();
    Push push{.channel = batch_.channel,
              .body = publication_as_delta(*message, base, way.carrier.format, scope_, made)};
    address(push, way);
    packer.add({.body = std::move(push)});
    base = message.get();
  }
  return base::SharedBytes::copy(packer.take());
}

std::vector<base::SharedBytes>& Blocks::each_of(Way way) {
  const auto found = std::ranges::find(each_, way, &Each::way);
  if (found != each_.end()) return found->bytes;
  return each_.emplace_back(way, std::vector<base::SharedBytes>(batch_.messages.size())).bytes;
}

}  // namespace door::centrifuge
