// The page of a binary that was built without Node.
#include "api/assets.h"

namespace api {
namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wirebird</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
  body { max-width: 38rem; margin: 15vh auto; padding: 0 1.5rem; }
</style>
<h1>Wirebird is running</h1>
<p>This binary was built without its demo page, because the machine that built it had no Node.js 18 or newer. The server
is complete; only this page is missing. Install Node.js and npm, and build again.</p>
</html>
)";

constexpr Asset kAssets[] = {{"/", "text/html; charset=utf-8", "\"plain-1\"", kPage, {}}};

}  // namespace

std::span<const Asset> assets() { return kAssets; }

}  // namespace api
