#!/usr/bin/python3
"""Clients that connect, are cut and resume at random over all doors while publishers run. They judge nothing: they write
down what they saw, one file each, and checker.py decides from these files alone.

  reconnect.py --port P --reconnects N --folder F [--channels 4] [--clients 40] [--seed 1] [--slow-channels 0]

publisher-CHANNEL.jsonl   {"offset", "epoch", "time", "sent", "acked"}; the payload of offset n is the JSON number n
client-NUMBER.jsonl       {"open": wall ms, "since": cursor or null, "channel", "door"}, then what came, each with "at":
                          {"position"}, {"message": offset, "epoch", "time", "payload"}, {"gap": {...}, "position"},
                          {"closed": code, "reason"}; last {"end": true} of a client that has read up to the head
All times are wall clock milliseconds of this machine, which is the server's too.
"""
import argparse
import asyncio
import json
import pathlib
import random
import time

import streams

DOORS = ("ws", "raw", "sse", "poll")


def wall_ms():
    return time.time() * 1000


class Log:
    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")

    def write(self, **record):
        self.file.write(json.dumps(record) + "\n")


class Channel:
    """What the publisher of one channel knows."""

    def __init__(self, name, slow, folder):
        self.name = name
        self.slow = slow
        self.head = 0
        self.epoch = None
        self.log = Log(folder / f"publisher-{name}.jsonl")
        self.moved = asyncio.Condition()

    async def publish(self, http):
        sent = wall_ms()
        answer = await http.json("POST", f"/pub/{self.name}", str(self.head + 1), "application/json")
        self.log.write(offset=answer["offset"], epoch=answer["epoch"], time=answer["time"], sent=sent, acked=wall_ms())
        async with self.moved:
            self.head, self.epoch = answer["offset"], answer["epoch"]
            self.moved.notify_all()

    async def run(self, port, stop, chance):
        http = await streams.Http.open(port)
        while not stop.is_set():
            await self.publish(http)
            if self.slow:  # a channel whose messages grow old before there are many
                await asyncio.sleep(chance.uniform(0.02, 0.15))

    async def reached(self, offset):
        async with self.moved:
            await self.moved.wait_for(lambda: self.head >= offset)


class Client:
    def __init__(self, number, door, channel, port, folder, chance, stop):
        self.door, self.channel, self.port, self.chance, self.stop = door, channel, port, chance, stop
        self.log = Log(folder / f"client-{number:03d}.jsonl")
        self.cursor = None
        self.http = None  # of the poll door: kept between polls until it is cut

    def position(self, text):
        self.cursor = text
        self.log.write(position=text, at=wall_ms())

    def message(self, offset, epoch, at, payload):
        self.cursor = f"{epoch}:{offset}"
        self.log.write(message=offset, epoch=epoch, time=at, payload=payload, at=wall_ms())

    def envelope(self, record):
        """Returns 1 for a message, 0 for a control record."""
        if "gap" in record:
            self.cursor = record["position"]
            self.log.write(gap=record["gap"], position=record["position"], at=wall_ms())
        elif "offset" in record:
            self.message(record["offset"], record["epoch"], record["time"], record["data"])
            return 1
        elif "position" in record:
            self.position(record["position"])
        else:
            self.log.write(unexpected=record)
        return 0

    # One connection each. `enough()` is asked after every record; a connection is cut where it says yes.

    async def ws(self, since, enough):
        socket = await streams.WebSocket.open(self.port, f"/ws/{self.channel.name}?meta=1{since}")
        try:
            async for text in socket.messages():
                if enough(self.envelope(json.loads(text))):
                    return
        finally:
            socket.abort()

    async def raw(self, since, enough):
        socket = await streams.WebSocket.open(self.port, f"/ws/{self.channel.name}?publish=0{since}")
        try:
            async for text in socket.messages():
                self.message(int(text), self.channel.epoch, None, int(text))
                if enough(1):
                    return
        except streams.Closed as closed:
            if closed.code == 4410:
                self.cursor = None  # all that a raw client can do: begin anew
            raise
        finally:
            socket.abort()

    async def sse(self, since, enough):
        by_header = self.cursor is not None and self.chance.random() < 0.5
        events = await streams.EventSource.open(self.port, f"/sse/{self.channel.name}?meta=1{'' if by_header else since}",
                                                self.cursor if by_header else None)
        try:
            async for event in events.events():
                if event["data"] is None:
                    self.position(event["id"])
                    seen = 0
                else:
                    record = json.loads(event["data"])
                    seen = self.envelope(record)
                    if self.cursor != event["id"]:
                        self.log.write(unexpected=event)
                if enough(seen):
                    return
        finally:
            events.abort()

    async def poll(self, since, enough):
        http = await streams.Http.open(self.port)
        try:
            while True:
                answer = await http.json("GET", f"/poll/{self.channel.name}?limit={self.chance.randrange(1, 500)}{since}")
                done = False
                for record in answer["messages"]:
                    done = enough(self.envelope(record)) or done
                if self.cursor is None:
                    self.position(answer["cursor"])
                if answer["cursor"] != self.cursor:
                    self.log.write(unexpected=answer["cursor"])
                if done or enough(0):
                    return
                self.log.write(open=wall_ms(), since=self.cursor, channel=self.channel.name, door=self.door, again=True)
                since = f"&since={self.cursor}"
        finally:
            http.abort()

    async def connect(self, enough, time_limit=None):
        """One connection, until `enough` or the time limit cuts it."""
        since = f"&since={self.cursor}" if self.cursor is not None else ""
        self.log.write(open=wall_ms(), since=self.cursor, channel=self.channel.name, door=self.door)
        try:
            await asyncio.wait_for(getattr(self, self.door)(since, enough), time_limit)
        except asyncio.TimeoutError:
            pass
        except streams.Closed as closed:
            self.log.write(closed=closed.code, reason=closed.reason, at=wall_ms())
        except (OSError, EOFError) as error:
            self.log.write(closed=1006, reason=repr(error), at=wall_ms())

    async def away(self):
        """The time until the next connection."""
        choice = self.chance.random()
        if choice < 0.4:
            return
        if choice < 0.9 or not self.channel.slow:
            await self.channel.reached(self.channel.head + self.chance.choice((1, 3, 20, 45, 49, 50, 51, 55, 120)) // (6 if self.channel.slow else 1))
        else:
            await asyncio.sleep(self.chance.choice((0.5, 0.9, 1.3)))

    async def run(self, count):
        while self.channel.head == 0:
            await self.channel.reached(1)
        while count():
            wanted = self.chance.choice((0, 1, 2, 10, 50, 200))
            if self.channel.slow:
                wanted //= 10
            seen = 0

            def enough(messages):
                nonlocal seen
                seen += messages
                return seen >= wanted and messages >= 0

            # Some connections are cut by time instead: anywhere in the handshake, the replay or between two messages.
            await self.connect(enough, self.chance.uniform(0, 0.02) if self.chance.random() < 0.3 else 5)
            await self.away()

    async def finish(self):
        """After the publishers have stopped: read up to the head."""
        target = self.channel.head

        def at_head(_):
            return self.cursor is not None and int(self.cursor.split(":")[1]) >= target

        while not at_head(0):
            if self.cursor is None:  # a raw client after a gap: nothing more will come
                self.cursor = f"{self.channel.epoch}:{target}"
                self.log.write(skipped=target)
                break
            await self.connect(at_head, 30)
        self.log.write(end=True)
        self.log.file.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--reconnects", type=int, required=True)
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--slow-channels", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    stop = asyncio.Event()
    left = options.reconnects + options.clients  # the first connection of each is no reconnect

    def count():
        nonlocal left
        left -= 1
        return left >= 0

    channels = [Channel(f"c{i}", i < options.slow_channels, options.folder) for i in range(options.channels)]
    publishers = [asyncio.create_task(c.run(options.port, stop, random.Random(f"{options.seed} {c.name}"))) for c in channels]
    clients = [Client(i, DOORS[i % len(DOORS)], channels[i // len(DOORS) % len(channels)], options.port, options.folder,
                      random.Random(f"{options.seed} {i}"), stop) for i in range(options.clients)]
    running = asyncio.gather(*(client.run(count) for client in clients))
    done, _ = await asyncio.wait([running, *publishers], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # a publisher that ended is a failure
    stop.set()
    await asyncio.gather(*publishers)
    await asyncio.gather(*(client.finish() for client in clients))
    for channel in channels:
        channel.log.file.close()


if __name__ == "__main__":
    asyncio.run(main())
