// Assets: the files of the demo page, compiled into the binary. Built from web/ where Node is present
// (cmake/web.cmake); elsewhere one plain page stands at "/" and says so. Immutable, any thread, valid for the life of
// the process.
#pragma once

#include <span>
#include <string_view>

namespace api {

struct Asset {
  std::string_view path;  // as requested: "/", "/favicon.svg", "/assets/index-3f2a9c1b.js"
  std::string_view content_type;
  std::string_view etag;  // strong, with its quotes
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed; empty if that is not smaller
};

// Sorted by path; there is always a "/".
std::span<const Asset> assets();

// Null if there is nothing at this path.
const Asset* find_asset(std::string_view path);

// Names under /assets/ carry a hash of their content and may be kept for ever; the others must be asked for again.
bool is_immutable(const Asset& asset);

}  // namespace api
