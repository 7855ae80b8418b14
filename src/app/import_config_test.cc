#include "app/import_config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "app/new_file.h"

namespace app {
namespace {

class MemoryFiles final : public Files {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  std::expected<std::string, std::string> read(const std::string& path) const override {
    const auto found = files_.find(path);
    if (found == files_.end()) return std::unexpected("cannot be opened");
    return found->second;
  }

 private:
  std::map<std::string, std::string> files_;
};

std::expected<ImportReport, std::string> report_of(std::string content, std::string out = "") {
  return import_config({.file = "config.json", .out = std::move(out)},
                       MemoryFiles({{"config.json", std::move(content)}}));
}

TEST(ImportConfig, SaysWhatWasLeftOutAndWhatTheServerWouldSay) {
  const auto report = report_of(R"({"http_server":{"internal_port":"9000","tls":{"enabled":true,"cert_pem":"/c.pem",)"
                                R"("key_pem":"/k.pem"}},"grpc_api":{"enabled":true},"colour\u001b":1})");
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->rest, ImportReport::Rest::some);
  EXPECT_TRUE(report->text.contains("Left out, for it has no equivalent:\n  grpc_api: there is no gRPC here"))
      << report->text;
  EXPECT_TRUE(report->text.contains("Not known, and left out:\n  colour?\n")) << report->text;
  EXPECT_TRUE(report->text.contains("The server would not start with it yet:\n  wirebird.toml:")) << report->text;
  EXPECT_TRUE(report->text.contains("/c.pem cannot be opened"));
}

TEST(ImportConfig, NothingLeftOutIsSaidByTheCode) {
  const auto report = report_of(R"({"http_server":{"internal_port":"9000"}})");
  ASSERT_TRUE(report) << report.error();
  EXPECT_EQ(report->rest, ImportReport::Rest::none);
  EXPECT_FALSE(report->text.contains("Left out")) << report->text;
  EXPECT_FALSE(report->text.contains("would not start")) << report->text;
}

TEST(ImportConfig, AnUnreadableFileIsOneLine) {
  EXPECT_EQ(report_of("{").error(), "config.json is not valid JSON");
  EXPECT_EQ(import_config({.file = "gone.json", .out = ""}, MemoryFiles({})).error(), "gone.json cannot be opened");
}

TEST(ImportConfig, KeysGoBesideTheFile) {
  EXPECT_EQ(public_keys_file({.file = "a", .out = ""}), "");
  EXPECT_EQ(public_keys_file({.file = "a", .out = "w.toml"}), "w.toml.public-keys.pem");
}

TEST(MakeSecretFile, ForTheOwnerAloneAndNeverOverAnother) {
  std::string folder = (std::filesystem::temp_directory_path() / "wirebird-new-file-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/w.toml";
  ASSERT_TRUE(make_secret_file(path, "a = 1\n"));
  std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  EXPECT_EQ(content.str(), "a = 1\n");
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(path).permissions() & perms::all, perms::owner_read | perms::owner_write);
  const auto again = make_secret_file(path, "b");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), path + " cannot be made: File exists");
  EXPECT_FALSE(make_secret_file(folder + "/no/w.toml", "b"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace app
