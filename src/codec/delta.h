// The delta format of Fossil (https://fossil-scm.org/fossil/doc/trunk/www/delta_format.wiki): what to copy from a
// source and what to insert, so that a target comes out.
//
//   delta   := number "\n" command* number ";"      first the size of the target, last its checksum
//   command := number "@" number ","                copy so many bytes from that offset of the source
//            | number ":" bytes                     insert so many bytes
//   number  := digits of base 64, the highest first: 0-9 A-Z _ a-z ~
//
// The checksum is the sum, modulo 2^32, of the target's 32-bit big-endian words; the last is filled up with zeros.
//
// Sources, targets and numbers are below 2^32. Stateless; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace codec {

enum class Utf8 : std::uint8_t {
  anywhere,           // inserts may begin and end inside a code point
  whole_code_points,  // each insert, and so the delta, is valid UTF-8, if the target is: the delta fits a JSON string
};

// A delta that apply_delta makes `target` of. It may be longer than the target, by 21 bytes at most: the caller
// compares.
//
// Linear, whatever the input: one index entry per 16 bytes of the source; for each byte of the target at most 9 places
// of the source are looked at. A place that gives no copy costs at most 72 compared bytes, most of them eight at a
// time; the longest place of those that give one becomes the copy, and the search goes on behind it. So below 700
// compared bytes per byte of the target. Memory while it runs: 20 bytes per 16 of the source.
std::string make_delta(std::string_view source, std::string_view target, Utf8 utf8 = Utf8::anywhere);

enum class DeltaError : std::uint8_t {
  syntax = 1,          // a number, a mark or the end is missing, or something follows the end
  number = 2,          // a number needs more than 32 bits
  too_big = 3,         // the target would be larger than allowed
  copy_outside = 4,    // a copy reaches beyond the source
  insert_outside = 5,  // an insert reaches beyond the delta
  wrong_size = 6,      // the commands make more or less than the size at the start says
  checksum = 7,        // this delta was made from another source, or was damaged
};
std::string_view to_string(DeltaError error) noexcept;

// Trusts nothing in the delta: its declared size allocates nothing, and the output never passes `size_max`. Stricter
// than other readers in two things that no writer needs: a number has a digit, and nothing follows the ";".
std::expected<std::string, DeltaError> apply_delta(std::string_view source, std::string_view delta,
                                                   std::size_t size_max);

}  // namespace codec
