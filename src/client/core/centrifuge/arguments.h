// What a user gives, checked before it goes anywhere: the session asserts what is checked here. Pure; any thread.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <wirebird/options.h>
#include <wirebird/result.h>

#include "client/core/centrifuge/events.h"

namespace client::centrifuge {

// The data as it travels: JSON without raw line ends, any bytes in Protobuf. Empty is no data in either.
std::expected<std::string, wirebird::Error> checked_data(wirebird::Format format, std::string data);
std::optional<wirebird::Error> check_text(std::string_view what, std::string_view text);  // UTF-8
std::optional<wirebird::Error> check_filter(const wirebird::TagsFilter& filter);
// Texts and data of a call; the data may be changed.
std::optional<wirebird::Error> check_call(wirebird::Format format, Call& call);
std::size_t size_of(const Call& call);  // for the accounts

// bad_configuration, in words.
std::optional<wirebird::Error> check_options(wirebird::ClientOptions& options);
std::optional<wirebird::Error> check_options(wirebird::Format format, std::string_view channel,
                                             wirebird::SubscriptionOptions& options);

}  // namespace client::centrifuge
