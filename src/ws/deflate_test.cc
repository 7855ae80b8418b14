#include "ws/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "base/entropy.h"
#include "ws/session_rig.h"

namespace ws {
namespace {

using Status = Inflater::Status;

constexpr std::size_t kCap = 1 << 20;

// Text that compresses, with matches at distances up to its own length.
std::string words(std::size_t size, std::uint64_t seed) {
  base::SeededEntropy entropy(seed);
  std::string text;
  while (text.size() < size) {
    if (!text.empty() && entropy.below(3) == 0) {
      const std::size_t from = entropy.below(static_cast<std::uint32_t>(text.size()));
      text += text.substr(from, 3 + entropy.below(300));
    } else {
      text += static_cast<char>('a' + entropy.below(26));
    }
  }
  text.resize(size);
  return text;
}

std::string noise(std::size_t size, std::uint64_t seed) {
  base::SeededEntropy entropy(seed);
  std::string bytes(size, '\0');
  for (char& each : bytes) each = static_cast<char>(entropy.next32());
  return bytes;
}

struct Inflated {
  Status status;
  std::string bytes;
};

// In one piece or in pieces of `piece_bytes`.
Inflated inflate_message(Inflater& inflater, std::string_view deflated, std::size_t bytes_max = kCap,
                         std::size_t piece_bytes = kCap) {
  GrowingBytes out;
  Status status = Status::ok;
  while (!deflated.empty() && status == Status::ok) {
    const std::string_view piece = deflated.substr(0, piece_bytes);
    status = inflater.append(out, piece, bytes_max);
    deflated.remove_prefix(piece.size());
  }
  if (status == Status::ok) status = inflater.finish(out, bytes_max);
  return {status, std::string(out.view())};
}

// RFC 7692 section 7.2.3.
TEST(Deflate, ExamplesOfTheStandard) {
  Inflater inflater(15);
  const std::string_view hello("\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
  EXPECT_EQ(inflate_message(inflater, hello).bytes, "Hello");
  // 7.2.3.2: the second message refers to the first.
  const Inflated again = inflate_message(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5));
  EXPECT_EQ(again.status, Status::ok);
  EXPECT_EQ(again.bytes, "Hello");
  // 7.2.3.3: a block without compression.
  inflater.reset();
  EXPECT_EQ(inflate_message(inflater, std::string_view("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)).bytes,
            "Hello");
  // 7.2.3.4: a final block, then 00.
  inflater.reset();
  EXPECT_EQ(inflate_message(inflater, std::string_view("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)).bytes, "Hello");
  // 7.2.3.5: two blocks.
  inflater.reset();
  EXPECT_EQ(
      inflate_message(inflater, std::string_view("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)).bytes,
      "Hello");
  // 7.2.3.6: an empty message.
  const Inflated empty = inflate_message(inflater, std::string_view("\x00", 1));
  EXPECT_EQ(empty.status, Status::ok);
  EXPECT_EQ(empty.bytes, "");
}

TEST(Deflate, EveryWindowAndSizeComesBack) {
  for (std::uint8_t bits = kDeflateBitsMin; bits <= kDeflateBitsMax; ++bits) {
    Deflater deflater(bits);
    EXPECT_EQ(deflater.window_bits(), bits);
    Deflater context_deflater(bits);
    Inflater context_inflater(bits);
    for (const std::size_t size : {0U, 1U, 2U, 31U, 255U, 256U, 257U, 1000U, 5000U, 70'000U}) {
      for (const std::string& message : {words(size, size), noise(size, size)}) {
        std::string alone = "kept";
        deflater.compress_alone(alone, message);
        ASSERT_TRUE(alone.starts_with("kept"));
        // A window of exactly the size that was promised is enough.
        Inflater inflater(bits);
        const Inflated result = inflate_message(inflater, std::string_view(alone).substr(4));
        ASSERT_EQ(result.status, Status::ok);
        ASSERT_EQ(result.bytes, message);

        std::string with_context;
        context_deflater.compress_with_context(with_context, message);
        ASSERT_EQ(inflate_message(context_inflater, with_context).bytes, message);
      }
    }
  }
}

TEST(Deflate, ContextMakesARepeatedMessageShort) {
  Deflater deflater(12);
  const std::string message = words(2000, 1);
  std::string first, second, alone;
  deflater.compress_with_context(first, message);
  deflater.compress_with_context(second, message);
  EXPECT_LT(second.size(), 50U);
  deflater.compress_alone(alone, message);
  EXPECT_EQ(alone, first);
}

TEST(Deflate, CutsChangeNothing) {
  Deflater deflater(10);
  std::string deflated;
  const std::string message = words(3000, 5);
  deflater.compress_alone(deflated, message);
  for (std::size_t piece = 1; piece <= deflated.size(); piece += 1 + piece / 7) {
    Inflater inflater(10);
    const Inflated result = inflate_message(inflater, deflated, kCap, piece);
    ASSERT_EQ(result.status, Status::ok);
    ASSERT_EQ(result.bytes, message);
  }
}

// T03: the cap counts while inflating, to the byte, and nothing is kept beyond it.
TEST(Deflate, StopsAtTheCap) {
  Deflater deflater(12);
  for (const std::size_t size : {100U, 1024U, 5000U, 70'000U}) {
    std::string deflated;
    deflater.compress_alone(deflated, words(size, size));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, kCap}) {
      for (const std::size_t cap : {size - 1, size, size + 1}) {
        Inflater inflater(12);
        const Inflated result = inflate_message(inflater, deflated, cap, piece);
        EXPECT_EQ(result.status, cap < size ? Status::too_big : Status::ok) << size << ' ' << cap;
        EXPECT_EQ(result.bytes.size(), std::min(size, cap));
      }
    }
  }
}

std::string deflate_with_final_block(std::string_view message) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, -12, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(message.size() + 100, '\0');
  std::string in(message);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

// RFC 7692 section 7.2.3.4, as libdeflate and zlib with Z_FINISH make it; with and without the closing 00, in any cuts.
TEST(Deflate, FinalBlocks) {
  const std::string message = words(500, 3);
  const std::string final_block = deflate_with_final_block(message);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, kCap}) {
    Inflater inflater(12);
    EXPECT_EQ(inflate_message(inflater, final_block + '\0', kCap, piece).bytes, message);
    // The next message of the same context still finds the history.
    Deflater deflater(12);
    std::string first, second;
    deflater.compress_with_context(first, message);
    deflater.compress_with_context(second, message);
    const Inflated next = inflate_message(inflater, second, kCap, piece);
    EXPECT_EQ(next.status, Status::ok);
    EXPECT_EQ(next.bytes, message);

    const Inflated without_zero = inflate_message(inflater, final_block, kCap, piece);
    EXPECT_EQ(without_zero.status, Status::ok);
    EXPECT_EQ(without_zero.bytes, message);
    EXPECT_EQ(inflate_message(inflater, final_block + final_block + '\0', kCap, piece).bytes, message + message);
  }
}

TEST(Deflate, BrokenBytes) {
  const auto status_of = [](std::string_view deflated) {
    Inflater inflater(15);
    return inflate_message(inflater, deflated).status;
  };
  EXPECT_EQ(status_of("\xff\xff\xff\xff"), Status::broken);  // a reserved block type
  EXPECT_EQ(status_of(std::string_view("\xf2\x00\x11\x00\x00", 5)), Status::broken) << "refers to before the start";
  EXPECT_EQ(status_of(""), Status::broken) << "an empty message is one byte 00";
  // Cut off inside a block: the flush does not come where it may stand.
  Deflater deflater(12);
  std::string deflated;
  deflater.compress_alone(deflated, words(300, 9));
  std::size_t broken = 0;
  for (std::size_t size = 0; size < deflated.size(); ++size) {
    broken += status_of(std::string_view(deflated).substr(0, size)) == Status::broken;
  }
  EXPECT_EQ(broken, deflated.size());
}

TEST(Deflate, ResetForgetsFailureAndHistory) {
  Inflater inflater(15);
  EXPECT_EQ(inflate_message(inflater, "\xff\xff").status, Status::broken);
  inflater.reset();
  EXPECT_EQ(inflate_message(inflater, std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)).bytes, "Hello");
  inflater.reset();
  EXPECT_EQ(inflate_message(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)).status, Status::broken);
}

TEST(Deflate, SharedFrames) {
  Deflater deflater(12);
  const std::string message = words(1000, 2);
  const base::SharedBytes frame = encode_deflated_server_frame(Opcode::text, message, deflater);
  EXPECT_LT(frame.size(), message.size());
  // The same frame for everybody, whatever was sent between.
  Tap tap(Role::client, Tap::kDefaultLimits, {.enabled = true});
  tap.receive(frame.view());
  tap.receive(encode_deflated_server_frame(Opcode::text, words(700, 3), deflater).view());
  tap.receive(frame.view());
  EXPECT_EQ(tap.lines, (Lines{"text:" + message, "text:" + words(700, 3), "text:" + message}));
  // What does not gain goes plain.
  EXPECT_EQ(encode_deflated_server_frame(Opcode::text, "short", deflater).view(), "\x81\x05short");
  const std::string incompressible = noise(100, 4);
  EXPECT_EQ(encode_deflated_server_frame(Opcode::binary, incompressible, deflater).view(),
            encode_server_frame(Opcode::binary, incompressible).view());
}

}  // namespace
}  // namespace ws
