#include "app/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace app {
namespace {

// The documentation is generated: wirebird default-config --markdown > docs/configuration.md
TEST(Reference, TheDocumentedPageIsTheGeneratedOne) {
  std::ifstream file(WIREBIRD_SOURCE_FOLDER "/docs/configuration.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(page.str() == configuration_page())
      << "docs/configuration.md is out of date: wirebird default-config --markdown > docs/configuration.md";
}

TEST(Reference, NamesEveryOption) {
  for (const Option& option : all_options()) {
    EXPECT_TRUE(default_config().contains("\n" + std::string(option.name()) + " = ")) << option.key;
    EXPECT_TRUE(configuration_page().contains("| `" + std::string(option.name()) + "` |")) << option.key;
  }
}

TEST(Reference, AcceptedValues) {
  EXPECT_EQ(accepted_values(*find_option("server.workers")), "number, 1 to 1024, or auto");
  EXPECT_EQ(accepted_values(*find_option("limits.message_bytes_max")), "size, 1B to 64MiB");
  EXPECT_EQ(accepted_values(*find_option("websocket.ping_interval")), "duration, 1s to 1h");
  EXPECT_EQ(accepted_values(*find_option("server.dev")), "true or false");
  EXPECT_EQ(accepted_values(*find_option("channels.publish")), "nobody, anyone, token or user");
}

TEST(Reference, CommentsFitTheScreen) {
  std::istringstream lines(default_config());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 120U) << line;
  }
}

}  // namespace
}  // namespace app
