// `wirebird import centrifugo`: a configuration file of Centrifugo, version 5 or 6, as one of ours, and what a person
// has to know about it. Text in, text out; nothing is read from the disk, and nothing in the file is followed.
//
// What is carried over behaves as it did there, defaults included: a namespace without history_size keeps none here
// either. What has no equivalent, or is not known, is a finding; nothing is dropped silently but what is switched off.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "app/import/draft.h"
#include "app/import/tree.h"

namespace app::import {

struct ImportPlan {
  std::string public_keys_file;  // where public_keys_pem will be; empty: nowhere
};

struct Imported {
  std::string toml;  // the secrets in it too; the findings are comments at its head
  std::vector<Finding> findings;
  std::string public_keys_pem;  // to be written to the plan's file, which the configuration names; empty: none
};

// The error says why the text is not a configuration, as the end of a sentence that begins with the file's name.
std::expected<Imported, std::string> import_centrifugo(Format format, std::string_view text, const ImportPlan& plan);

}  // namespace app::import
