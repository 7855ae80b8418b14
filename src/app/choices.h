// What the choices of options are called in configuration, in the order in which help names them. Constants; any
// thread.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "auth/auth.h"
#include "hub/rules.h"
#include "server/options.h"

namespace app {

template <class Choice>
struct Named {
  Choice choice;
  std::string_view text;
};

// Of each type of choice: all of them with their names, and those in a sentence.
template <class Choice>
struct Choices {};

template <>
struct Choices<auth::Access> {
  using enum auth::Access;
  static constexpr std::array kAll = {Named{nobody, "nobody"}, Named{anyone, "anyone"}, Named{token, "token"},
                                      Named{user, "user"}};
  static constexpr std::string_view kSentence = "nobody, anyone, token or user";
};

template <>
struct Choices<std::optional<auth::Access>> {
  using Access = std::optional<auth::Access>;
  using enum auth::Access;
  static constexpr std::array kAll = {Named<Access>{std::nullopt, "as_subscribe"}, Named<Access>{nobody, "nobody"},
                                      Named<Access>{anyone, "anyone"}, Named<Access>{token, "token"},
                                      Named<Access>{user, "user"}};
  static constexpr std::string_view kSentence = "as_subscribe, nobody, anyone, token or user";
};

template <>
struct Choices<hub::SlowReader> {
  using enum hub::SlowReader;
  static constexpr std::array kAll = {Named{close, "close"}, Named{drop, "drop"}, Named{conflate, "conflate"}};
  static constexpr std::string_view kSentence = "close, drop or conflate";
};

template <>
struct Choices<hub::SubscriptionType> {
  using enum hub::SubscriptionType;
  static constexpr std::array kAll = {Named{stream, "stream"}, Named{map, "map"}, Named{map_clients, "map_clients"},
                                      Named{map_users, "map_users"}};
  static constexpr std::string_view kSentence = "stream, map, map_clients or map_users";
};

template <>
struct Choices<hub::MapMode> {
  using enum hub::MapMode;
  static constexpr std::array kAll = {Named{ephemeral, "ephemeral"}, Named{recoverable, "recoverable"},
                                      Named{persistent, "persistent"}};
  static constexpr std::string_view kSentence = "ephemeral, recoverable or persistent";
};

template <>
struct Choices<server::ClientKey> {
  using enum server::ClientKey;
  static constexpr std::array kAll = {Named{any, "any"}, Named{client_id, "client_id"}, Named{user_id, "user_id"}};
  static constexpr std::string_view kSentence = "any, client_id or user_id";
};

template <>
struct Choices<server::RecoveryMode> {
  using enum server::RecoveryMode;
  static constexpr std::array kAll = {Named{stream, "stream"}, Named{cache, "cache"}};
  static constexpr std::string_view kSentence = "stream or cache";
};

template <>
struct Choices<door::PayloadFormat> {
  using enum door::PayloadFormat;
  static constexpr std::array kAll = {Named{any, "any"}, Named{json, "json"}, Named{json_object, "json_object"},
                                      Named{binary, "binary"}};
  static constexpr std::string_view kSentence = "any, json, json_object or binary";
};

template <>
struct Choices<server::ApiErrors> {
  using enum server::ApiErrors;
  static constexpr std::array kAll = {Named{status, "status"}, Named{body, "body"}};
  static constexpr std::string_view kSentence = "status or body";
};

template <class Choice>
concept IsChoice = requires { Choices<Choice>::kAll.size(); };

template <IsChoice Choice>
constexpr std::string_view text_of(Choice choice) {
  return std::ranges::find(Choices<Choice>::kAll, choice, &Named<Choice>::choice)->text;
}

template <IsChoice Choice>
constexpr std::optional<Choice> choice_of(std::string_view text) {
  const auto found = std::ranges::find(Choices<Choice>::kAll, text, &Named<Choice>::text);
  return found == Choices<Choice>::kAll.end() ? std::nullopt : std::optional<Choice>(found->choice);
}

}  // namespace app
