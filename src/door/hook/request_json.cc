#include "door/hook/request_json.h"

#include "codec/base64.h"
#include "codec/json_out.h"

namespace door::hook {
namespace {

class Writer {
 public:
  explicit Writer(const RequestForm& form) : form_(form) { json_.begin_object(); }

  Writer& text(std::string_view name, std::string_view value) {
    if (!value.empty()) json_.key(name).string(value);
    return *this;
  }

  // The encoding says how payloads travel in this request, whatever the client speaks.
  Writer& caller(const Caller& caller) {
    text("client", caller.client).text("transport", caller.transport).text("protocol", caller.protocol);
    json_.key("encoding").string(in_place() ? "json" : "binary");
    text("user", caller.user);
    if (form_.meta == RequestForm::Meta::include && !caller.meta.empty()) json_.key("meta").raw(caller.meta);
    return *this;
  }

  Writer& data(const Payload& payload) {
    if (payload.kind == Payload::Kind::none) return *this;
    if (in_place() && payload.kind == Payload::Kind::json) {
      json_.key("data").raw(payload.bytes);
    } else {
      json_.key("b64data").string(codec::base64_encode(payload.bytes));
    }
    return *this;
  }

  Writer& texts(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return *this;
    json_.key(name).begin_array();
    for (const std::string& value : values) json_.string(value);
    json_.end_array();
    return *this;
  }

  std::string done() {
    json_.end_object();
    return std::move(out_);
  }

 private:
  bool in_place() const { return form_.payloads == RequestForm::Payloads::in_place; }

  const RequestForm& form_;
  std::string out_;
  codec::JsonWriter json_{out_};
};

}  // namespace

std::string to_json(const ConnectRequest& request, const RequestForm& form) {
  return Writer(form)
      .caller(request.caller)
      .data(request.data)
      .text("name", request.name)
      .text("version", request.version)
      .texts("channels", request.channels)
      .done();
}

std::string to_json(const RefreshRequest& request, const RequestForm& form) {
  return Writer(form).caller(request.caller).done();
}

std::string to_json(const SubscribeRequest& request, const RequestForm& form) {
  return Writer(form)
      .caller(request.caller)
      .text("channel", request.channel)
      .text("token", request.token)
      .data(request.data)
      .done();
}

std::string to_json(const SubRefreshRequest& request, const RequestForm& form) {
  return Writer(form).caller(request.caller).text("channel", request.channel).done();
}

std::string to_json(const PublishRequest& request, const RequestForm& form) {
  return Writer(form).caller(request.caller).text("channel", request.channel).data(request.data).done();
}

std::string to_json(const RpcRequest& request, const RequestForm& form) {
  return Writer(form).caller(request.caller).text("method", request.method).data(request.data).done();
}

std::string to_json(const CacheEmptyRequest& request, const RequestForm& form) {
  return Writer(form).text("channel", request.channel).done();
}

}  // namespace door::hook
