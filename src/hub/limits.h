// Limits of the hub that nobody needs two values of.
#pragma once

#include <chrono>
#include <cstdint>

namespace hub {

inline constexpr std::size_t kChannelNameBytesMax = 255;

// One page of catch-up: 512 messages or 256 KiB, whichever comes first, at least one message. A peer's queue holds 1
// MiB by default, and the next page is asked for below half of it: 512 KiB + 256 KiB < 1 MiB, so replay never counts as
// slow reading.
inline constexpr std::uint32_t kPageMessagesMax = 512;
inline constexpr std::uint32_t kPageBytesMax = 256 * 1024;

// The end of a durable channel's stream, as much of it as is loaded at once when somebody watches it again: what the
// reader gives in one page.
inline constexpr std::uint32_t kTailMessagesMax = 4096;

// One page of a map's state: as many entries, and at most kPageBytesMax of their payloads. The most that the Centrifuge
// protocol's clients ask for.
inline constexpr std::uint32_t kStateEntriesMax = 1000;

// One page of who is present: as many members, and at most kPageBytesMax of what is known of them.
inline constexpr std::uint32_t kPresentMembersMax = 512;

// Nobody watches a channel any more: said this much later, since clients that lost their connection are back within a
// second or two.
inline constexpr std::chrono::seconds kVacatedAfter{5};
// Channels of one home of which that is still to be said: 20,000 a second, some 4 MiB.
inline constexpr std::size_t kVacatingMax = 100'000;

// Rounds of catch-up before the subscriber is told that it cannot be brought up to date: 4,096 pages are 2 million
// messages; who has read so many and is still behind is slower than the channel.
inline constexpr std::uint32_t kCatchUpRoundsMax = 4096;

// Subscribers served per channel and slice before other channels get their turn (robustness.md, fairness).
inline constexpr std::uint32_t kSliceSubscribers = 512;

// Wildcards that are watched at the same time, each of which every channel is held against once: some 50 us per
// channel. One that nobody watches any more counts until its feeds are buried (HomeOptions::channel_idle).
inline constexpr std::size_t kWildcardsMax = 1024;

// Messages that wait on one worker until a channel's fan-out comes to them. A channel whose fan-out takes longer than
// its publishers do loses the oldest of them, announced to each subscriber as a gap; recoverable ones come back for
// them.
inline constexpr std::size_t kWaitingBytesMax = 16 * 1024 * 1024;

// Messages of one channel that are sent together, as one block: a quarter of what a reader's queue takes, so that a
// block alone never makes a reader slow that has something left.
inline constexpr std::size_t kJobBytesMax = 256 * 1024;

// Messages of one channel that are held back together (ChannelRules::max_delay) before they leave early: 64 of 128 B
// are 8 KiB, one send of the kernel; more in one block costs hardly less per message.
inline constexpr std::size_t kHeldMessagesMax = 64;
inline constexpr std::size_t kHeldBytesMax = 16 * 1024;  // by Message::charged_bytes
// Of all channels of one home; those that are due first leave early. 1,024 channels that hold as much as they may.
inline constexpr std::size_t kHeldBytesTotalMax = 16 * 1024 * 1024;

// Idempotency keys kept per home: 5 minutes at 3,000 keyed publishes a second is 900,000 entries of 72 bytes. When more
// come the oldest make room, so that nobody's publishes are refused; at 10,000 a second a key is kept for 100 s.
inline constexpr std::uint32_t kIdempotencyKeysMax = 1'000'000;
inline constexpr std::chrono::minutes kIdempotencyAge{5};

// Transient messages that a channel's log keeps for those who are on their way to it, beside the ones of its history.
inline constexpr std::uint32_t kTransientMessagesMax = 1024;

// One window of history: as many payload bytes as fit into one answer that is made in some milliseconds.
inline constexpr std::uint32_t kWindowBytesMax = 4 * 1024 * 1024;

inline constexpr std::size_t kVersionEpochBytesMax = 255;

// What a message may carry beside its payload. Tags: 20 KiB at most.
inline constexpr std::size_t kTagsMax = 16;
inline constexpr std::size_t kTagKeyBytesMax = 255;
inline constexpr std::size_t kTagValueBytesMax = 1024;
inline constexpr std::size_t kEventBytesMax = 200;       // what Pusher's protocol allows
inline constexpr std::size_t kMessageKeyBytesMax = 255;  // as a channel's name
// Of a publisher's user, client and information in all. They come from tokens, which fit into the head of a request.
inline constexpr std::size_t kClientIdentityBytesMax = 64 * 1024;
// All of the above, and what holds them.
inline constexpr std::size_t kExtrasBytesMax = 128 * 1024;

// A filter of tags costs its subscriber's worker at every message. Those that people write have a handful of leaves of
// some 40 ns. In the worst case 16 searches for a part take 10 us each (1 KiB of one letter, and parts nearly alike),
// the other leaves 0.1 us. What a filter takes is below 16 KiB.
inline constexpr std::size_t kFilterNodesMax = 128;
inline constexpr std::size_t kFilterDepthMax = 16;
inline constexpr std::size_t kFilterContainsMax = 16;  // leaves that compare by ct
inline constexpr std::size_t kFilterValuesMax = 512;
inline constexpr std::size_t kFilterBytesMax = 8 * 1024;  // of all keys and values

}  // namespace hub
