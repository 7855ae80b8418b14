// How a server is talked to: which paths and messages subscribe and publish. Ours unless the options say otherwise. A
// value.
#pragma once

#include <expected>
#include <string>

#include "client/bench/options.h"
#include "client/bench/payload.h"
#include "client/bench/text_template.h"
#include "client/core/server_url.h"

namespace client::bench {

class Dialect {
 public:
  // The error is a sentence for a person.
  static std::expected<Dialect, std::string> from(const BenchOptions& options, const ServerUrl& url);

  // Path and query of the connection.
  std::string target(std::string_view channel) const { return filled(path_, channel); }
  std::string publish_target(std::string_view channel) const { return filled(publish_path_, channel); }
  // Those that only publish send POST requests.
  bool publishes_by_post() const { return by_post_; }
  const std::string& subprotocol() const { return subprotocol_; }
  BenchOptions::Frames frames() const { return frames_; }

  // What a connection says; appended to `out`.
  void hello(std::string& out, std::string_view channel) const { hello_.fill(out, channel, {}); }
  void subscription(std::string& out, std::string_view channel) const { subscribe_.fill(out, channel, {}); }
  void publication(std::string& out, std::string_view channel, std::string_view payload) const {
    publish_.fill(out, channel, payload);
  }

  // Of what comes back. A server with words of its own may put some around the payload, and send messages besides.
  Wrapping wrapping() const { return wrapping_; }

 private:
  Dialect() = default;
  static std::string filled(const TextTemplate& path, std::string_view channel);

  TextTemplate path_{{}};
  TextTemplate publish_path_{{}};
  TextTemplate hello_{{}};
  TextTemplate subscribe_{{}};
  TextTemplate publish_{{}};
  std::string subprotocol_;
  BenchOptions::Frames frames_ = BenchOptions::Frames::text;
  bool by_post_ = false;
  Wrapping wrapping_ = Wrapping::bare;
};

}  // namespace client::bench
