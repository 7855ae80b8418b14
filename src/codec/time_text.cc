#include "codec/time_text.h"

#include <array>
#include <chrono>
#include <cstdint>

#include "base/assert.h"

namespace codec {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// Takes a fixed number of digits, or a fixed character, from the front of a text; remembers whether all fitted.
class FixedText {
 public:
  explicit FixedText(std::string_view text) : rest_(text) {}

  int digits(std::size_t count) {
    int number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
        fits_ = false;
        return 0;
      }
      number = number * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return number;
  }
  // One character out of `choices`; 0 if it is none of them.
  char one_of(std::string_view choices) {
    if (rest_.empty() || choices.find(rest_.front()) == std::string_view::npos) {
      fits_ = false;
      return 0;
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool next_is_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  bool ended() const { return fits_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool fits_ = true;
};

int milliseconds_of_fraction(FixedText& text) {
  int ms = 0;
  int weight = 100;
  do {
    ms += text.digits(1) * weight;
    weight /= 10;
  } while (text.next_is_digit());
  return ms;
}

struct Broken {  // broken-down time, UTC
  year_month_day date;
  int weekday;  // 0 is Sunday
  int hour;
  int minute;
  int second;
  int ms;
};

Broken break_down(base::WallTime time) {
  constexpr std::int64_t kDay = 86'400'000;
  constexpr std::int64_t kFirst = -62'135'596'800'000;  // 0001-01-01
  constexpr std::int64_t kEnd = 253'402'300'800'000;    // 10000-01-01
  ASSERT(time.ms >= kFirst && time.ms < kEnd);
  const std::int64_t day = time.ms >= 0 ? time.ms / kDay : -((-time.ms + kDay - 1) / kDay);
  const auto rest = static_cast<int>(time.ms - day * kDay);
  const sys_days date{days(day)};
  return {year_month_day(date), static_cast<int>(std::chrono::weekday(date).c_encoding()),
          rest / 3'600'000,     rest / 60'000 % 60,
          rest / 1000 % 60,     rest % 1000};
}

void append_digits(std::string& out, int number, int count) {
  std::array<char, 4> digits;
  for (int i = count - 1; i >= 0; --i) {
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out.append(digits.data(), static_cast<std::size_t>(count));
}

int month_of(const Broken& time) { return static_cast<int>(static_cast<unsigned>(time.date.month())); }
int day_of(const Broken& time) { return static_cast<int>(static_cast<unsigned>(time.date.day())); }

void append_clock(std::string& out, const Broken& time) {
  append_digits(out, time.hour, 2);
  out += ':';
  append_digits(out, time.minute, 2);
  out += ':';
  append_digits(out, time.second, 2);
}

}  // namespace

std::optional<base::WallTime> parse_rfc3339(std::string_view text) {
  FixedText in(text);
  const int year = in.digits(4);
  in.one_of("-");
  const int month = in.digits(2);
  in.one_of("-");
  const int day = in.digits(2);
  in.one_of("Tt");
  const int hour = in.digits(2);
  in.one_of(":");
  const int minute = in.digits(2);
  in.one_of(":");
  const int second = in.digits(2);
  int ms = 0;
  if (in.next_is('.')) {
    in.one_of(".");
    ms = milliseconds_of_fraction(in);
  }
  const char zone = in.one_of("Zz+-");
  int zone_minutes = 0;
  if (zone == '+' || zone == '-') {
    const int zone_hour = in.digits(2);
    in.one_of(":");
    const int zone_minute = in.digits(2);
    if (zone_hour > 23 || zone_minute > 59) return std::nullopt;
    zone_minutes = (zone_hour * 60 + zone_minute) * (zone == '+' ? 1 : -1);
  }
  if (!in.ended()) return std::nullopt;

  const year_month_day date(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day)));
  if (year == 0 || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const std::int64_t minutes =
      std::int64_t{sys_days(date).time_since_epoch().count()} * 1440 + hour * 60 + minute - zone_minutes;
  return base::WallTime{(minutes * 60 + second) * 1000 + ms};
}

void append_rfc3339(std::string& out, base::WallTime time) {
  const Broken broken = break_down(time);
  append_digits(out, static_cast<int>(broken.date.year()), 4);
  out += '-';
  append_digits(out, month_of(broken), 2);
  out += '-';
  append_digits(out, day_of(broken), 2);
  out += 'T';
  append_clock(out, broken);
  out += '.';
  append_digits(out, broken.ms, 3);
  out += 'Z';
}

void append_http_date(std::string& out, base::WallTime time) {
  static constexpr std::string_view kWeekdays = "SunMonTueWedThuFriSat";
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const Broken broken = break_down(time);
  out.append(kWeekdays.substr(static_cast<std::size_t>(broken.weekday) * 3, 3));
  out += ", ";
  append_digits(out, day_of(broken), 2);
  out += ' ';
  out.append(kMonths.substr(static_cast<std::size_t>(month_of(broken) - 1) * 3, 3));
  out += ' ';
  append_digits(out, static_cast<int>(broken.date.year()), 4);
  out += ' ';
  append_clock(out, broken);
  out += " GMT";
}

}  // namespace codec
