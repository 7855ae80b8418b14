// http_server, log and shutdown.
#include <fmt/format.h>

#include <string>

#include "app/import/parts.h"
#include "app/net_text.h"

namespace app::import {
namespace {

constexpr std::string_view kCertificate = "tls.certificate_file";

std::string text_at(Tree& document, std::string_view path) {
  const auto value = take(document, path);
  return value ? text_of_scalar(*value).value_or("") : "";
}

bool take_switch(Tree& document, std::string_view path) {
  const auto value = take(document, path);
  return is_on(value ? &*value : nullptr);
}

// "0.0.0.0:8000", with https:// where TLS is on. Nothing stands for every address there.
std::string listener(const std::string& address, const std::string& port, bool tls) {
  const std::string ip = address.empty() ? "0.0.0.0" : address == "localhost" ? "127.0.0.1" : address;
  const bool bare_ipv6 = ip.contains(':') && !ip.starts_with('[');
  return fmt::format("{}{}:{}", tls ? "https://" : "", bare_ipv6 ? "[" + ip + "]" : ip, port);
}

// A path, as opposed to the PEM text itself or the same in base64, which the original takes too.
bool is_path(const std::string& pem) {
  return !pem.contains("-----BEGIN") && !pem.contains('\n') && pem.size() < 1024 &&
         (pem.contains('/') || pem.contains('.'));
}

void import_certificate(Tree& document, Draft& draft) {
  const std::string base = "http_server.tls.";
  for (const auto& [name, option] :
       {std::pair{"cert_pem", kCertificate}, std::pair{"key_pem", std::string_view("tls.key_file")}}) {
    const std::string pem = text_at(document, base + name);
    if (pem.empty()) {
      draft.changed(base + name, fmt::format("is missing; set {}", option));
      draft.remark(std::string(option), fmt::format("{} = \"...\"", option.substr(4)));
    } else if (is_path(pem)) {
      draft.set(option, Tree{pem}, base + name);
    } else {
      draft.changed(base + name, fmt::format("stands in the file itself; write it to a file and set {}", option));
      draft.remark(std::string(option), fmt::format("{} = \"...\"", option.substr(4)));
    }
  }
}

void import_listeners(Tree& document, Draft& draft) {
  const bool tls = take_switch(document, "http_server.tls.enabled");
  const bool tls_external = take_switch(document, "http_server.tls_external");
  if (tls) {
    import_certificate(document, draft);
  } else {
    take(document, "http_server.tls.cert_pem");
    take(document, "http_server.tls.key_pem");
  }
  const std::string address = text_at(document, "http_server.address");
  std::string port = text_at(document, "http_server.port");
  if (port.empty()) port = "8000";
  std::string internal_address = text_at(document, "http_server.internal_address");
  const std::string internal_port = text_at(document, "http_server.internal_port");

  const auto set = [&](std::string_view option, const std::string& listen, std::string_view key) {
    if (const auto parsed = parse_listener(listen); !parsed) {
      draft.left_out(key, fmt::format("= {} {}", listen, parsed.error()));
    } else {
      draft.set(option, Tree{Tree::List{Tree{listen}}}, key);
    }
  };
  set("server.listen", listener(address, port, tls), "http_server.address");
  if (internal_port.empty() || internal_port == port) {
    draft.settings.server.public_api = true;
    draft.changed("http_server.internal_port",
                  "is not set: the HTTP API stays on the port of the clients (api.public), but the metrics are on a "
                  "listener of their own (server.admin_listen), 127.0.0.1:8001 unless you say another");
    take(document, "http_api.external");
    return;
  }
  if (internal_address.empty()) internal_address = address;
  set("server.admin_listen", listener(internal_address, internal_port, tls && !tls_external),
      "http_server.internal_address");
  draft.settings.server.public_api = take_switch(document, "http_api.external");
}

void import_log(Tree& document, Draft& draft) {
  const std::string level = text_at(document, "log.level");
  if (level.empty()) return;
  const std::string_view ours = level == "trace" || level == "debug"                      ? "debug"
                                : level == "info"                                         ? "info"
                                : level == "warn"                                         ? "warning"
                                : level == "error" || level == "fatal" || level == "none" ? "error"
                                                                                          : "";
  if (ours.empty()) return draft.left_out("log.level", fmt::format("= {} is no level", level));
  draft.set("server.log_level", Tree{std::string(ours)}, "log.level");
}

}  // namespace

void import_server(Tree& document, Draft& draft) {
  import_listeners(document, draft);
  import_log(document, draft);
  if (const auto timeout = take(document, "shutdown.timeout")) {
    draft.set("server.drain_time_max", *timeout, "shutdown.timeout");
  }
}

}  // namespace app::import
