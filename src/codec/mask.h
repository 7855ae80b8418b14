// WebSocket masking (RFC 6455 section 5.3): the same XOR masks and unmasks. Stateless; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace codec {

using MaskKey = std::array<char, 4>;  // in the order of the wire

// XORs byte i with key[(phase + i) % 4], in place, in blocks of 32 bytes. `phase` is how many bytes of the frame's
// payload were done before, so a payload may be cut anywhere. True if all bytes are ASCII afterwards: who unmasks a
// text need not look at it again.
bool apply_mask(std::span<char> bytes, MaskKey key, std::size_t phase) noexcept;

// The definition, byte by byte. The reference for tests.
bool apply_mask_scalar(std::span<char> bytes, MaskKey key, std::size_t phase) noexcept;

}  // namespace codec
