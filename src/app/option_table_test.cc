#include "app/option_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <type_traits>

#include "app/config.h"

namespace app {
namespace {

template <class Visitor>
void for_each_option(Visitor visit) {
  for (const Option& option : all_options()) {
    SCOPED_TRACE(option.key);
    visit(option);
  }
}

TEST(OptionTable, NamesAreUniqueInAllTheirForms) {
  std::set<std::string> keys;
  std::set<std::string> variables;
  std::set<std::string> flags;
  for_each_option([&](const Option& option) {
    EXPECT_TRUE(keys.insert(std::string(option.key)).second);
    EXPECT_TRUE(variables.insert(environment_name(option)).second);
    EXPECT_TRUE(flags.insert(flag_name(option)).second);
    EXPECT_FALSE(is_foreign_variable(environment_name(option)));
    EXPECT_EQ(find_option(option.key), &option);
  });
  EXPECT_EQ(find_option("limits"), nullptr);
  EXPECT_EQ(find_option(""), nullptr);
}

TEST(OptionTable, NamesFollowTheKey) {
  const Option& limit = *find_option("limits.message_bytes_max");
  EXPECT_EQ(environment_name(limit), "WIREBIRD_LIMITS_MESSAGE_BYTES_MAX");
  EXPECT_EQ(flag_name(limit), "--limits-message-bytes-max");
  EXPECT_EQ(flag_name(*find_option("server.admin_listen")), "--admin-listen");
  EXPECT_EQ(limit.section(), "limits");
  EXPECT_EQ(limit.name(), "message_bytes_max");
}

TEST(OptionTable, OptionsAreGroupedInTheOrderOfTheSections) {
  std::vector<std::string_view> order;
  for (const Option& option : all_options()) {
    if (order.empty() || order.back() != option.section()) order.push_back(option.section());
  }
  std::vector<std::string_view> sections;
  for (const Section& section : all_sections()) sections.push_back(section.name);
  EXPECT_EQ(order, sections);
}

TEST(OptionTable, EverySlotIsItsOwn) {
  std::set<const void*> places;
  Settings settings;
  for_each_option([&](const Option& option) {
    const Slot slot = option.slot({settings, settings.channels});
    EXPECT_TRUE(places.insert(std::visit([](auto* value) -> const void* { return value; }, slot)).second);
  });
}

TEST(OptionTable, RangesHoldTheDefaultAndFitTheType) {
  for_each_option([&](const Option& option) {
    Settings settings;
    std::visit(
        [&](auto* value) {
          using Value = std::remove_pointer_t<decltype(value)>;
          constexpr bool is_count = std::is_unsigned_v<Value> && !std::is_same_v<Value, bool>;
          if constexpr (is_count || std::is_same_v<Value, base::Duration>) {
            ASSERT_LT(option.range.lowest, option.range.highest);
            std::uint64_t number = 0;
            if constexpr (is_count) {
              number = *value;
              EXPECT_LE(option.range.highest, std::numeric_limits<Value>::max());
            } else {
              number = static_cast<std::uint64_t>(value->count());
            }
            if (option.zero == Zero::automatic) {
              EXPECT_EQ(number, 0U);
              EXPECT_GT(option.range.lowest, 0U) << "0 would have two meanings";
            } else {
              EXPECT_GE(number, option.range.lowest);
              EXPECT_LE(number, option.range.highest);
            }
          } else {
            EXPECT_EQ(option.range.highest, 0U);
            EXPECT_EQ(option.zero, Zero::number);
            EXPECT_EQ(option.unit, Unit::none);
          }
        },
        option.slot({settings, settings.channels}));
  });
}

TEST(OptionTable, SecretsHaveNoFlag) {
  for_each_option([](const Option& option) {
    EXPECT_EQ(is_secret(option), option.command_line == OnCommandLine::no_flag);
    EXPECT_EQ(is_secret(option), option.key == "auth.token_keys" || option.key == "auth.api_keys" ||
                                     option.key == "events.signing_keys" || option.key == "events.headers");
  });
}

TEST(OptionTable, HelpIsSentences) {
  for_each_option([](const Option& option) {
    EXPECT_TRUE(option.help.ends_with('.'));
    EXPECT_EQ(option.help.find_first_of("\n|"), std::string_view::npos) << "it stands in a table of the documentation";
    EXPECT_FALSE(type_name(option).empty());
  });
}

TEST(Assign, RefusesWhatIsOutOfRangeAndTakesTheEnds) {
  Settings settings;
  const Target target{settings, settings.channels};
  const auto set = [&](std::string_view key, std::string text) {
    return assign(*find_option(key), target, std::vector{std::move(text)});
  };
  EXPECT_TRUE(set("limits.message_bytes_max", "1"));
  EXPECT_EQ(settings.server.message_bytes_max, 1U);
  EXPECT_TRUE(set("limits.message_bytes_max", "64MiB"));
  EXPECT_EQ(settings.server.message_bytes_max, 64U << 20);
  EXPECT_FALSE(set("limits.message_bytes_max", "0"));
  EXPECT_FALSE(set("limits.message_bytes_max", "65MiB"));
  EXPECT_FALSE(set("limits.message_bytes_max", "18446744073709551615"));
  EXPECT_FALSE(set("limits.message_bytes_max", "auto"));
  EXPECT_EQ(settings.server.message_bytes_max, 64U << 20);

  EXPECT_TRUE(set("server.workers", "1024"));
  EXPECT_FALSE(set("server.workers", "65536"));  // would wrap to 0
  EXPECT_FALSE(set("server.workers", "0"));
  EXPECT_EQ(settings.server.workers, 1024);
  EXPECT_TRUE(set("server.workers", "auto"));
  EXPECT_EQ(settings.server.workers, 0);

  EXPECT_TRUE(set("websocket.ping_interval", "1s"));
  EXPECT_FALSE(set("websocket.ping_interval", "999ms"));
  EXPECT_FALSE(set("websocket.ping_interval", "25"));
  EXPECT_EQ(settings.server.ping_interval, std::chrono::seconds{1});

  EXPECT_TRUE(set("channels.publish", "token"));
  EXPECT_FALSE(set("channels.publish", "Anyone"));
  EXPECT_EQ(settings.channels.permissions.publish, auth::Access::token);

  EXPECT_TRUE(set("channels.slow_reader", "conflate"));
  EXPECT_FALSE(set("channels.slow_reader", "block"));
  EXPECT_EQ(settings.channels.slow_reader, hub::SlowReader::conflate);
  EXPECT_TRUE(set("channels.slow_reader", "close"));
  EXPECT_FALSE(assign(*find_option("server.workers"), target, std::vector<std::string>{"1", "2"}));
  EXPECT_FALSE(assign(*find_option("server.workers"), target, {}));
}

TEST(Assign, UnlimitedIsNotOffered) {
  Settings settings;
  for_each_option([&](const Option& option) {
    if (option.range.highest == 0) return;
    for (const std::string text : {"unlimited", "infinite", "none", "-1"}) {
      EXPECT_FALSE(assign(option, {settings, settings.channels}, std::vector{text})) << text;
    }
  });
  const auto refused = assign(*find_option("limits.connections_max"), {settings, settings.channels},
                              std::vector<std::string>{"unlimited"});
  EXPECT_EQ(refused.error(), "\"unlimited\" is not offered; the largest value is 10000000");
}

TEST(TomlValue, EscapesTexts) {
  Settings settings;
  settings.token_keys_file = "a\"b\\c\n\x7f\xc3\xa9";
  settings.listen = {"a", "b\""};
  const Target target{settings, settings.channels};
  EXPECT_EQ(toml_value(*find_option("auth.token_keys_file"), target), R"("a\"b\\c\u000a\u007fé")");
  EXPECT_EQ(toml_value(*find_option("server.listen"), target), R"(["a", "b\""])");
}

TEST(TomlValue, NeverShowsASecret) {
  Settings settings;
  settings.server.api_keys.emplace_back("do not print me");
  EXPECT_EQ(toml_value(*find_option("auth.api_keys"), {settings, settings.channels}), "[]");
}

}  // namespace
}  // namespace app
