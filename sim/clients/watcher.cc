#include "sim/clients/watcher.h"

#include <algorithm>

namespace sim {

Watcher::Watcher(Crowd& crowd, Door door, std::vector<std::string> channels, const Link& link, std::uint64_t seed,
                 std::vector<Place> since, const DoorOptions& options)
    : crowd_(crowd), entropy_(seed), number_(crowd.join(*this)), wire_(crowd, number_) {
  Visit visit;
  visit.client = static_cast<std::uint32_t>(number_);
  visit.door = door;
  visit.since = since.empty() ? std::vector<Place>(channels.size()) : std::move(since);
  visit.channels = std::move(channels);
  visit.asked = crowd.world().now();
  client_ = make_client(std::move(visit), options, entropy_);
  wire_.connect(link);
  wire_.send(client_->request());
}

void Watcher::be_deaf(bool deaf) {
  wire_.be_deaf(deaf);
  if (!deaf) ready();
}

void Watcher::ready() {
  wire_.flush();
  for (;;) {
    const Wire::Input input = wire_.read(input_);
    if (input == Wire::Input::nothing) return;
    if (input != Wire::Input::bytes) {
      client_->receive_eof();
      client_->visit().ended = crowd_.world().now();
      lost_ = true;
      return wire_.close(loop::CloseMode::graceful);
    }
    output_.clear();
    client_->receive(input_, crowd_.world().now(), output_);
    wire_.send(output_);
  }
}

std::uint64_t Watcher::messages() const {
  const auto& told = client_->visit().told;
  return static_cast<std::uint64_t>(
      std::count_if(told.begin(), told.end(), [](const Told& each) { return each.kind == Told::Kind::message; }));
}

bool Watcher::saw_everything(std::uint64_t head) const {
  std::uint64_t next = 0;
  for (const Told& told : client_->visit().told) {
    if (told.kind == Told::Kind::gap) return false;
    if (told.kind != Told::Kind::message) continue;
    if (next != 0 && told.place.offset != next) return false;
    next = told.place.offset + 1;
  }
  return next == head + 1;
}

}  // namespace sim
