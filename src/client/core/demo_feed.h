// The messages of `wirebird demo feed`: a stock ticker, weather and match scores, invented but believable. A random
// walk from a seed: same seed, same messages. No I/O, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/entropy.h"

namespace client {

class DemoFeed {
 public:
  explicit DemoFeed(std::uint64_t seed);

  struct Item {
    std::string_view channel;  // "ticker", "weather" or "scores"
    std::string json;
  };
  // Of eight messages six are trades, one is weather and one is from a match.
  Item next();

 private:
  struct Stock {
    std::string_view symbol;
    std::string_view name;
    std::int64_t cents;
    std::int64_t opening_cents;
    std::uint64_t volume = 0;
  };
  struct Station {
    std::string_view city;
    int tenths_c;  // temperature
    int mean_tenths_c;
    int humidity;
    int wind_kmh;
    unsigned sky;
  };
  struct Match {
    std::size_t home = 0;
    std::size_t away = 0;
    unsigned minute = 0;
    unsigned goals_home = 0;
    unsigned goals_away = 0;
    bool running = false;
  };

  std::string trade();
  std::string weather();
  std::string score();
  int step(int most);  // bell-shaped in [-most, most]
  void kick_off(Match& match);

  base::SeededEntropy entropy_;
  std::uint64_t made_ = 0;
  std::array<Stock, 8> stocks_;
  std::array<Station, 6> stations_;
  std::array<Match, 2> matches_;
};

}  // namespace client
