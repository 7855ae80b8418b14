// Proxies there are hooks here: a back end that is asked, by name. Those that nothing asks are left where they are.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "app/import/parts.h"
#include "app/named_tables.h"
#include "http/egress_guard.h"
#include "server/hook.h"

namespace app::import {
namespace {

using server::HookOptions;

// One question that channels ask: its name in the document, where its default stands, and our option.
struct ChannelEvent {
  std::string name;
  std::string_view option;
};

class Hooks {
 public:
  Hooks(Tree& document, Draft& draft) : document_(document), draft_(draft) {}

  void run() {
    named_ = take(document_, "proxies");
    own("client.proxy.connect", "connect", "hooks.connect_hook");
    own("client.proxy.refresh", "refresh", "hooks.refresh_hook");
    channels_ = take(document_, "channel.proxy");
    rpc_ = take(document_, "rpc.proxy");
    import_rpc();
    each_namespace();
  }

 private:
  // A question that has its proxy in one place.
  void own(const std::string& path, const std::string& name, std::string_view option) {
    auto proxy = take(document_, path);
    if (!proxy || !is_on(find(*proxy, "enabled"))) return;
    take(*proxy, "enabled");
    const std::string hook = make(*proxy, path, name);
    if (!hook.empty()) draft_.set(option, Tree{hook}, path);
  }

  // The hook for a name of a proxy; empty: it cannot be. `standard` is the proxy called "default".
  std::string hook_for(const std::string& proxy_name, const Tree* standard, const std::string& standard_path,
                       const std::string& standard_name, const std::string& asked_by) {
    if (proxy_name.empty() || proxy_name == "default") {
      if (standard != nullptr && !standard->is_off()) return make(*standard, standard_path, standard_name);
      draft_.left_out(asked_by, fmt::format("{} has no endpoint", standard_path));
      return "";
    }
    if (named_ && named_->list() != nullptr) {
      for (const Tree& proxy : *named_->list()) {
        const Tree* const name = find(proxy, "name");
        if (name == nullptr || text_of_scalar(*name) != proxy_name) continue;
        Tree settings = proxy;
        take(settings, "name");
        return make(settings, "proxies." + proxy_name, proxy_name);
      }
    }
    draft_.left_out(asked_by, fmt::format("there is no proxy {}", proxy_name));
    return "";
  }

  void import_rpc() {
    std::vector<std::string> names;  // of proxies that are asked
    bool others = false;             // there are methods that are not
    const auto look = [&](Tree& options) {
      const auto enabled = take(options, "proxy_enabled");
      const auto name = take(options, "proxy_name");
      if (!is_on(enabled ? &*enabled : nullptr)) {
        others = true;
        return;
      }
      const std::string text = name ? text_of_scalar(*name).value_or("") : "";
      names.push_back(text.empty() ? "default" : text);
    };
    auto standard = take(document_, "rpc.without_namespace");
    if (standard) look(*standard);
    auto namespaces = take(document_, "rpc.namespaces");
    if (namespaces && namespaces->list() != nullptr) {
      for (Tree& space : *namespaces->list()) look(space);
    }
    if (names.empty()) return;
    const std::string path = "rpc.proxy";
    const std::string hook = hook_for(names.front(), rpc_ ? &*rpc_ : nullptr, path, "rpc", "rpc");
    if (!hook.empty()) draft_.set("hooks.rpc_hook", Tree{hook}, path);
    if (std::ranges::any_of(names, [&](const std::string& name) { return name != names.front(); })) {
      draft_.left_out("rpc.namespaces",
                      "one hook answers all calls; the first proxy is asked, and the method tells it");
    } else if (others || !standard) {
      draft_.changed("rpc", "the hook is asked about every method, not only those of some namespaces");
    }
  }

  void each_namespace() {
    if (auto standard = take(document_, "channel.without_namespace")) {
      import_channel(*standard, "channel.without_namespace", draft_.settings.channels);
      put(document_, "channel.without_namespace", *std::move(standard));
    }
    auto spaces = take(document_, "channel.namespaces");  // a table by name, as import_channels left it
    if (!spaces) return;
    if (spaces->table() != nullptr) {
      for (auto& [name, space] : *spaces->table()) {
        const auto own = std::ranges::find(draft_.settings.namespaces, name, &server::NamespaceOptions::name);
        if (own != draft_.settings.namespaces.end()) import_channel(space, "channel.namespaces." + name, *own);
      }
    }
    put(document_, "channel.namespaces", *std::move(spaces));
  }

  void import_channel(Tree& space, const std::string& path, server::NamespaceOptions& options) {
    const ChannelEvent events[] = {{"subscribe", "channels.subscribe_hook"},
                                   {"publish", "channels.publish_hook"},
                                   {"sub_refresh", "channels.sub_refresh_hook"},
                                   {"cache_empty", "channels.cache_empty_hook"}};
    for (const ChannelEvent& event : events) {
      const auto enabled = take(space, event.name + "_proxy_enabled");
      const auto name = take(space, event.name + "_proxy_name");
      if (!is_on(enabled ? &*enabled : nullptr)) continue;
      const std::string asked_by = path + "." + event.name + "_proxy_enabled";
      const Tree* const standard = channels_ ? find(*channels_, event.name) : nullptr;
      const std::string hook = hook_for(name ? text_of_scalar(*name).value_or("") : "", standard,
                                        "channel.proxy." + event.name, event.name, asked_by);
      if (!hook.empty()) draft_.set_in(options, event.option, Tree{hook}, asked_by);
    }
  }

  // A name that no other proxy has here. The same proxy gets the same name again.
  std::string free_name(const std::string& wanted, const std::string& path) const {
    for (const std::string& name : {wanted, "default_" + wanted}) {
      const auto same = std::ranges::find(made_, name, &Made::name);
      if (same == made_.end() || same->path == path) return name;
    }
    return "";
  }

  std::string make(const Tree& proxy, const std::string& path, const std::string& wanted) {
    if (const auto before = std::ranges::find(made_, path, &Made::path); before != made_.end()) return before->name;
    std::string name = free_name(wanted, path);
    if (!name.empty() && !valid_table_name(*find_named_table("hooks"), name)) {
      draft_.left_out(path, "a name here is 1 to 32 letters, digits, _ and -");
      name.clear();
    }
    HookOptions hook{.name = name};
    if (!name.empty() && fill(hook, proxy, path)) {
      draft_.settings.server.hooks.push_back(std::move(hook));
    } else {
      name.clear();
    }
    made_.push_back({path, name});
    return name;
  }

  bool fill(HookOptions& hook, Tree proxy, const std::string& path) {
    const auto endpoint = take(proxy, "endpoint");
    hook.url = endpoint ? text_of_scalar(*endpoint).value_or("") : "";
    if (hook.url.starts_with("grpc://")) {
      draft_.left_out(path + ".endpoint", "there is no gRPC here; back ends are asked over HTTP");
      return false;
    }
    if (const auto url = http::parse_egress_url(hook.url); !url) {
      draft_.left_out(path + ".endpoint", fmt::format("{}", http::to_string(url.error())));
      return false;
    }
    if (const auto timeout = take(proxy, "timeout"); timeout && !timeout->is_off()) {
      draft_.set_in_hook(hook, "timeout", *timeout, path + ".timeout");
    }
    if (const auto names = take(proxy, "http_headers")) {
      for (const std::string& name : texts_of_list(*names).value_or(std::vector<std::string>{})) {
        if (server::may_forward(name)) {
          hook.forward_headers.push_back(name);
        } else {
          draft_.left_out(path + ".http_headers", fmt::format("{} is not handed on", name));
        }
      }
    }
    const auto binary = take(proxy, "binary_encoding");
    hook.base64_payloads = is_on(binary ? &*binary : nullptr);
    const auto meta = take(proxy, "include_connection_meta");
    hook.include_meta = is_on(meta ? &*meta : nullptr);
    import_static_headers(hook, proxy, path);
    import_status_rules(hook, proxy, path);
    leftovers(proxy, path);
    if (const auto made = server::Hook::make(hook); !made) {
      draft_.left_out(path, made.error());
      return false;
    }
    return true;
  }

  void import_static_headers(HookOptions& hook, Tree& proxy, const std::string& path) {
    const auto headers = take(proxy, "http.static_headers");
    if (!headers || headers->table() == nullptr) return;
    for (const auto& [name, value] : *headers->table()) {
      const std::string line = fmt::format("{}: {}", name, text_of_scalar(value).value_or(""));
      if (const auto header = server::parse_header(line); !header) {
        draft_.left_out(path + ".http.static_headers." + name, std::string(header.error()));
      } else {
        hook.headers.emplace_back(line);
      }
    }
  }

  void import_status_rules(HookOptions& hook, Tree& proxy, const std::string& path) {
    const auto rules = take(proxy, "http.status_to_code_transforms");
    if (!rules || rules->list() == nullptr) return;
    for (const Tree& rule : *rules->list()) {
      const auto text = [&](std::string_view at) {
        const Tree* const value = find(rule, at);
        return value == nullptr ? std::string() : text_of_scalar(*value).value_or("");
      };
      const std::string error = text("to_error.code");
      const bool is_error = !error.empty() && error != "0";
      const std::string line = is_error ? fmt::format("{} {} {} {}", text("status_code"),
                                                      is_on(find(rule, "to_error.temporary")) ? "temporary" : "error",
                                                      error, text("to_error.message"))
                                        : fmt::format("{} disconnect {} {}", text("status_code"),
                                                      text("to_disconnect.code"), text("to_disconnect.reason"));
      if (const auto parsed = door::hook::parse_status_rule(line); !parsed) {
        draft_.left_out(path + ".http.status_to_code_transforms", fmt::format("\"{}\" {}", line, parsed.error()));
      } else {
        hook.status_rules.push_back(line);
      }
    }
  }

  void leftovers(const Tree& proxy, const std::string& path) {
    const auto* const members = proxy.table();
    if (members == nullptr) return;
    for (const auto& [name, value] : *members) {
      if (value.is_off()) continue;
      const Tree* const enabled = find(value, "tls.enabled");
      if (name == "http" && enabled != nullptr && !enabled->is_off()) {
        draft_.left_out(path + ".http.tls",
                        "certificates of back ends are checked against the system's, and none is shown");
      } else if (name == "grpc" || name == "grpc_metadata") {
        draft_.left_out(path + "." + name, "there is no gRPC here");
      } else if (name != "http") {
        draft_.unknown(path + "." + name);
      }
    }
  }

  struct Made {
    std::string path;
    std::string name;  // empty: it could not be
  };

  Tree& document_;
  Draft& draft_;
  std::optional<Tree> named_;
  std::optional<Tree> channels_;
  std::optional<Tree> rpc_;
  std::vector<Made> made_;
};

}  // namespace

void import_hooks(Tree& document, Draft& draft) { Hooks(document, draft).run(); }

}  // namespace app::import
