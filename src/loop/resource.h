// What this process has and may use: memory, descriptors, processors. Reads /proc and the control group; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace loop {

// Once, before there are threads. What is freed is put together with its neighbours at once and not by the hundred
// thousand when a large block is freed: with a million small blocks that takes 0.2 s in one go.
void tune_allocator();

std::uint64_t resident_bytes();  // RSS now
double processor_seconds();      // that this process has used, all threads together
void return_free_memory();       // of the allocator to the kernel; takes milliseconds per GiB

// The smallest of the machine's memory and the limits of this process's control group and its parents (v1 or v2).
// `root` is where /proc and /sys are found; tests give another.
std::uint64_t memory_limit_bytes(const std::string& root = "");

// How many descriptors the process may open. raise_descriptor_limit() first lifts the soft limit to the hard one.
std::uint64_t descriptor_limit();
std::uint64_t raise_descriptor_limit();
std::uint64_t open_descriptors();

// Processors this process may run on: the affinity mask, cut by the control group's quota (rounded up); at least 1.
unsigned processor_count(const std::string& root = "");

}  // namespace loop
