// Runs a fuzz target without libFuzzer, so that every build and every compiler tries it: all files of the seed folder,
// then seeded mutations of them. The same seed gives the same inputs on every machine.
//
//   x_fuzz_replay SEED_FOLDER RUNS [SEED]
//
// It does not learn from coverage: `./dev fuzz` does that, at length.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "base/entropy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kInputBytesMax = 4096;

std::vector<std::string> read_seeds(const std::filesystem::path& folder) {
  std::vector<std::string> seeds = {""};
  if (!std::filesystem::is_directory(folder)) return seeds;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());  // the order of a folder is the machine's own
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return seeds;
}

void mutate(std::string& input, const std::vector<std::string>& seeds, base::Entropy& entropy) {
  const auto below = [&](std::size_t bound) {
    return static_cast<std::size_t>(entropy.below(static_cast<std::uint32_t>(bound)));
  };
  const auto byte = [&] { return static_cast<char>(entropy.next32()); };
  const std::size_t at = below(input.size() + 1);
  switch (below(6)) {
    case 0:
      if (at < input.size()) input[at] = byte();
      break;
    case 1:
      if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
      break;
    case 2:
      input.insert(at, 1 + below(8), byte());
      break;
    case 3:
      input.erase(at, 1 + below(16));
      break;
    case 4: {  // a piece of itself again
      const std::string piece = input.substr(below(input.size() + 1), 1 + below(64));
      input.insert(at, piece);
      break;
    }
    case 5: {  // the rest of another seed
      const std::string& other = seeds[below(seeds.size())];
      input.replace(at, std::string::npos, other.substr(below(other.size() + 1)));
      break;
    }
  }
  if (input.size() > kInputBytesMax) input.resize(kInputBytesMax);
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return EXIT_FAILURE;
  const std::vector<std::string> seeds = read_seeds(argv[1]);
  for (const std::string& seed : seeds) run(seed);
  base::SeededEntropy entropy(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  const unsigned long runs = std::strtoul(argv[2], nullptr, 10);
  for (unsigned long i = 0; i < runs; ++i) {
    std::string input = seeds[entropy.below(static_cast<std::uint32_t>(seeds.size()))];
    for (std::uint32_t changes = 1 + entropy.below(8); changes > 0; --changes) mutate(input, seeds, entropy);
    run(input);
  }
  std::cout << seeds.size() - 1 << " seeds and " << runs << " mutations\n";
  return EXIT_SUCCESS;
}
