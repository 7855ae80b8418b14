#include "client/core/demo_feed.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/json_out.h"

namespace client {
namespace {

constexpr std::array<std::string_view, 12> kTeams = {
    "Harbour United", "River Athletic", "Northgate",      "Old Mill Rovers", "Lakeside City", "Westfield Town",
    "Stonebridge",    "Eastern Star",   "Union Ironwork", "Valley Rangers",  "Castle Hill",   "Port Albion"};
constexpr std::array<std::string_view, 5> kSkies = {"clear", "partly cloudy", "cloudy", "rain", "thunderstorm"};

std::string decimal(std::int64_t hundredths) {
  return fmt::format("{}{}.{:02}", hundredths < 0 ? "-" : "", std::abs(hundredths) / 100, std::abs(hundredths) % 100);
}

std::string tenths(int value) {
  return fmt::format("{}{}.{}", value < 0 ? "-" : "", std::abs(value) / 10, std::abs(value) % 10);
}

}  // namespace

DemoFeed::DemoFeed(std::uint64_t seed)
    : entropy_(seed),
      stocks_{{{"ARDN", "Arden Robotics", 18240, 18240},
               {"BLYS", "Blue Yonder Shipping", 6415, 6415},
               {"CRVO", "Corvo Semiconductors", 41180, 41180},
               {"FENX", "Fenix Energy", 2790, 2790},
               {"HLCY", "Halcyon Health", 9735, 9735},
               {"KITE", "Kite Aerospace", 23365, 23365},
               {"MRLN", "Merlin Software", 30510, 30510},
               {"QUAY", "Quayside Foods", 4820, 4820}}},
      stations_{{{"Lisbon", 183, 183, 62, 14, 0},
                 {"Oslo", 24, 24, 78, 9, 2},
                 {"Nairobi", 221, 221, 55, 11, 1},
                 {"Osaka", 164, 164, 66, 12, 1},
                 {"Lima", 192, 192, 81, 10, 2},
                 {"Montreal", -31, -31, 71, 17, 2}}} {
  for (Match& match : matches_) kick_off(match);
}

DemoFeed::Item DemoFeed::next() {
  switch (made_++ % 8) {
    case 3:
      return {"weather", weather()};
    case 7:
      return {"scores", score()};
    default:
      return {"ticker", trade()};
  }
}

int DemoFeed::step(int most) {
  // The sum of three uniform numbers is close enough to a bell.
  auto span = static_cast<std::uint32_t>(2 * most + 1);
  int sum = 0;
  for (int i = 0; i < 3; ++i) sum += static_cast<int>(entropy_.below(span)) - most;
  return sum / 3;
}

std::string DemoFeed::trade() {
  Stock& stock = stocks_[entropy_.below(static_cast<std::uint32_t>(stocks_.size()))];
  // Up to 0.4 % per trade, with a faint pull back to the opening price so that it stays believable for days.
  std::int64_t pull = (stock.opening_cents - stock.cents) / 500;
  stock.cents = std::max<std::int64_t>(100, stock.cents + stock.cents * step(40) / 10'000 + pull);
  std::uint64_t size = 10 * (1 + entropy_.below(60));
  stock.volume += size;
  std::int64_t change = stock.cents - stock.opening_cents;
  std::string json;
  codec::JsonWriter(json)
      .begin_object()
      .key("symbol")
      .string(stock.symbol)
      .key("name")
      .string(stock.name)
      .key("price")
      .raw(decimal(stock.cents))
      .key("change")
      .raw(decimal(change))
      .key("percent")
      .raw(decimal(change * 10'000 / stock.opening_cents))
      .key("size")
      .number(size)
      .key("volume")
      .number(stock.volume)
      .end_object();
  return json;
}

std::string DemoFeed::weather() {
  Station& station = stations_[entropy_.below(static_cast<std::uint32_t>(stations_.size()))];
  station.tenths_c += step(6) + (station.mean_tenths_c - station.tenths_c) / 20;
  station.humidity = std::clamp(station.humidity + step(5), 20, 100);
  station.wind_kmh = std::clamp(station.wind_kmh + step(4), 0, 90);
  if (entropy_.below(6) == 0) {
    int sky = static_cast<int>(station.sky) + (entropy_.below(2) == 0 ? 1 : -1);
    station.sky = static_cast<unsigned>(std::clamp(sky, 0, static_cast<int>(kSkies.size()) - 1));
  }
  std::string json;
  codec::JsonWriter(json)
      .begin_object()
      .key("city")
      .string(station.city)
      .key("temperature_c")
      .raw(tenths(station.tenths_c))
      .key("humidity")
      .number(station.humidity)
      .key("wind_kmh")
      .number(station.wind_kmh)
      .key("sky")
      .string(kSkies[station.sky])
      .end_object();
  return json;
}

void DemoFeed::kick_off(Match& match) {
  auto teams = static_cast<std::uint32_t>(kTeams.size());
  auto busy = [&](std::size_t team) {
    return std::ranges::any_of(matches_, [&](const Match& other) {
      return &other != &match && other.running && (other.home == team || other.away == team);
    });
  };
  match = {};
  do {
    match.home = entropy_.below(teams);
  } while (busy(match.home));
  do {
    match.away = entropy_.below(teams);
  } while (match.away == match.home || busy(match.away));
  match.running = true;
}

std::string DemoFeed::score() {
  Match& match = matches_[entropy_.below(static_cast<std::uint32_t>(matches_.size()))];
  std::string_view event = "playing";
  if (!match.running) kick_off(match);
  if (match.minute == 0) {
    event = "kick-off";
    match.minute = 1;
  } else {
    unsigned before = match.minute;
    match.minute = std::min(90u, match.minute + 1 + entropy_.below(4));
    // About 2.7 goals in 90 minutes of steps of 2.5 minutes; playing at home helps a little.
    std::uint32_t luck = entropy_.below(1000);
    if (before < 45 && match.minute >= 45) {
      match.minute = 45;
      event = "half-time";
    } else if (match.minute == 90) {
      event = "full-time";
      match.running = false;
    } else if (luck < 42) {
      ++match.goals_home;
      event = "goal home";
    } else if (luck < 75) {
      ++match.goals_away;
      event = "goal away";
    } else if (luck < 120) {
      event = "yellow card";
    }
  }
  std::string json;
  codec::JsonWriter(json)
      .begin_object()
      .key("home")
      .string(kTeams[match.home])
      .key("away")
      .string(kTeams[match.away])
      .key("minute")
      .number(match.minute)
      .key("score")
      .begin_array()
      .number(match.goals_home)
      .number(match.goals_away)
      .end_array()
      .key("event")
      .string(event)
      .end_object();
  return json;
}

}  // namespace client
