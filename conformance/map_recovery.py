"""Clients of maps (Centrifuge protocol, JSON, raw frames over WebSocket) that page, are cut and recover at random while publishers
change the maps, and a model that judges what they saw: after every way to the live end, and after every change behind it, what a
client holds must be the state of the map at that offset.

The order of changes is told by an observer that is there from the first one on; each publisher has keys of its own, so the
observer itself is held against what every publisher has sent.

run(port, reconnects, clients, seed) -> (problems, totals)
"""
import asyncio
import bisect
import collections
import json
import random
import time

import streams

CONFIG = """
[namespaces.mapall]
subscription_type = "map"
map_mode = "persistent"
map_page_entries_min = 1
history_messages_max = 10000000
history_bytes_max = "256MiB"
[namespaces.mapcount]
subscription_type = "map"
map_mode = "persistent"
map_page_entries_min = 1
history_messages_max = 40
[namespaces.mapnone]
subscription_type = "map"
map_mode = "ephemeral"
map_page_entries_min = 1
map_key_ttl = "1h"
"""
HELD = {"mapall": None, "mapcount": 40, "mapnone": None}
PUBLISHERS, KEYS = 3, 12
STATE, STREAM, LIVE = 2, 1, 0


class Socket:
    """One connection, whose commands and answers follow each other."""

    @classmethod
    async def open(cls, port):
        self = cls()
        self.socket = await streams.WebSocket.open(port, "/connection/websocket")
        self.frames = self.socket.messages()
        self.lines, self.pushes, self.number = collections.deque(), collections.deque(), 0
        await self.call(connect={})
        return self

    async def line(self):
        while not self.lines:
            self.lines.extend(json.loads(line) for line in (await anext(self.frames)).split(b"\n") if line)
        return self.lines.popleft()

    async def call(self, **request):
        self.number += 1
        self.socket.send(1, json.dumps({"id": self.number, **request}).encode())
        while (line := await self.line()).get("id") != self.number:
            self.keep(line)
        return line

    def keep(self, line):
        if line:
            self.pushes.append(line["push"])
        else:
            self.socket.send(1, b"{}")

    async def push(self):
        while not self.pushes:
            self.keep(await self.line())
        return self.pushes.popleft()

    def abort(self):
        self.socket.abort()


class Map:
    """What its publishers and its observer know."""

    def __init__(self, channel):
        self.channel, self.held = channel, HELD[channel.partition(":")[0]]
        self.changes = []  # (key, value; None: removed), offset 1 first
        self.sent, self.acked = [], []
        self.by_key = collections.defaultdict(list)
        self.checks = []  # (offset, entries, what)
        self.moved = asyncio.Event()

    def head_at_most(self, moment):
        return bisect.bisect_right(self.sent, moment)

    def head_at_least(self, moment):
        return bisect.bisect_right(self.acked, moment)

    def judge(self, problems):
        seen = collections.defaultdict(list)
        for key, value in self.changes:
            seen[key].append(value)
        for key in {*seen, *self.by_key}:
            if seen[key] != self.by_key[key]:
                problems.append(f"{self.channel}: of {key} the observer saw {seen[key][-5:]}, published was {self.by_key[key][-5:]}")
        entries, at = {}, 0
        for offset, held, what in sorted(self.checks, key=lambda check: check[0]):
            for key, value in self.changes[at:offset]:
                entries[key] = value
                if value is None:
                    del entries[key]
            at = max(at, offset)
            if held != entries:
                wrong = {key: (held.get(key), entries.get(key)) for key in {*held, *entries} if held.get(key) != entries.get(key)}
                problems.append(f"{self.channel}, {what}, at {offset}: held and true differ: {wrong}")


class World:
    def __init__(self, port, seed, reconnects):
        self.port, self.seed, self.left, self.stop = port, seed, reconnects, False
        self.maps = {f"{name}:1": Map(f"{name}:1") for name in HELD}
        self.totals, self.problems = collections.Counter(), []

    async def publish(self, publisher):
        chance = random.Random(f"{self.seed} publisher {publisher}")
        socket = await Socket.open(self.port)
        there = {channel: set() for channel in self.maps}
        n = 0
        while not self.stop:
            channel = chance.choice(list(self.maps))
            known = self.maps[channel]
            for _ in range(chance.choice((1, 1, 4, 20))):
                key = f"{publisher} {chance.randrange(KEYS)}"
                n += 1
                removed = key in there[channel] and chance.random() < 0.3
                (there[channel].discard if removed else there[channel].add)(key)
                known.by_key[key].append(None if removed else n)
                known.sent.append(time.monotonic())
                what = {"removed": True} if removed else {"data": n}
                answer = await socket.call(publish={"channel": channel, "type": 1, "key": key, **what})
                assert "publish" in answer, answer
                known.acked.append(time.monotonic())
            await asyncio.sleep(chance.choice((0, 0, 0.005)))
        socket.abort()

    async def observe(self, known):
        """From before the first change on."""
        socket = await Socket.open(self.port)
        answer = await socket.call(subscribe={"channel": known.channel, "type": 1, "phase": STATE})
        assert "state" not in answer["subscribe"], answer
        known.moved.set()
        while True:
            publication = (await socket.push())["pub"]
            known.changes.append((publication["key"], None if publication.get("removed") else publication["data"]))
            known.moved.set()

    async def reached(self, known, offset):
        while len(known.changes) < offset and not self.stop:
            known.moved.clear()
            await known.moved.wait()


class Client:
    def __init__(self, world, number):
        self.world, self.name = world, f"client {number}"
        self.chance = random.Random(f"{world.seed} {self.name}")
        self.map = list(world.maps.values())[number % len(world.maps)]
        self.recoverable = not self.map.channel.startswith("mapnone")
        self.position, self.entries = None, None  # (offset, epoch) and what it holds there
        self.known = 0  # offset of what it holds, if it knows

    def problem(self, text):
        self.world.problems.append(f"{self.name}, {self.map.channel}: {text}")

    def check(self, what):
        if self.recoverable:
            self.map.checks.append((self.position[0], dict(self.entries), f"{self.name} {what}"))

    @staticmethod
    def apply(entries, publications):
        for each in publications:
            if each.get("removed"):
                entries.pop(each["key"], None)
            else:
                entries[each["key"]] = each["data"]

    async def catch_up(self, socket):
        """To the live end; from scratch where what it stood at is not held any more."""
        entries, recovers = {}, self.position is not None and self.recoverable
        request = {"phase": STATE}
        if recovers:
            entries = dict(self.entries)
            request = {"phase": self.chance.choice((STREAM, LIVE)), "recover": True, "offset": self.position[0], "epoch": self.position[1]}
        expected = self.position[0] + 1 if recovers else None
        while True:
            limit = self.chance.choice((1, 2, 5, 30, 0))
            asked = time.monotonic()
            answer = await socket.call(subscribe={"channel": self.map.channel, "type": 1, "limit": limit, **request})
            answered = time.monotonic()
            if "error" in answer:
                return self.refused(answer["error"]["code"], request, answered)
            result = answer["subscribe"]
            if request["phase"] != STATE:
                self.must_be_held(request, asked)
            self.apply(entries, result.get("state", []))
            publications = result.get("publications", [])
            self.apply(entries, publications)
            phase, offset = result.get("phase", LIVE), result.get("offset", 0)
            if self.recoverable and (request["phase"] != STATE or phase == LIVE):
                first = expected if expected is not None else offset - len(publications) + 1
                if [each["offset"] for each in publications] != list(range(first, first + len(publications))):
                    self.problem(f"changes {publications[:3]}... behind {first - 1}")
                expected = first + len(publications)
                if phase == LIVE and offset != expected - 1:
                    self.problem(f"live at {offset}, the changes go to {expected - 1}")
            if phase == LIVE:
                if (result.get("recovered", False), result.get("was_recovering", False)) != (recovers, recovers):
                    self.problem(f"recovered is wrong: {recovers}, {result}")
                self.position, self.entries = (offset, result["epoch"]), entries
                self.world.totals["recovered" if recovers else "synchronised"] += 1
                return self.check("live")
            if phase == STATE and "cursor" in result:
                request = {"phase": STATE, "cursor": result["cursor"], "epoch": result["epoch"], "offset": offset}
                self.world.totals["pages of state"] += 1
            else:
                if phase == STATE:
                    expected = offset + 1
                request = {"phase": STREAM, "epoch": result["epoch"], "offset": offset, **({"recover": True} if recovers else {})}
                self.world.totals["pages of changes"] += 1

    def refused(self, code, request, answered):
        self.world.totals[f"error {code}"] += 1
        self.position = self.entries = None
        if code != 112 or self.map.held is None:
            return self.problem(f"error {code} to {request}")
        if self.map.head_at_most(answered) - request.get("offset", 0) <= self.map.held:
            self.problem(f"error 112 to {request}, which was held; the head was at most {self.map.head_at_most(answered)}")

    def must_be_held(self, request, asked):
        low = self.map.head_at_least(asked)
        if self.map.held is not None and low - request.get("offset", 0) > self.map.held:
            self.problem(f"{request} was answered, though the head was at least {low}")

    async def connection(self, enough):
        socket = await Socket.open(self.world.port)
        try:
            while self.position is None or not socket.number > 1:
                await self.catch_up(socket)
            count = 0
            while not enough(count):
                push = await socket.push()
                if "pub" not in push:
                    return self.problem(f"push {push}")
                publication = push["pub"]
                if self.recoverable and publication["offset"] != self.position[0] + 1:
                    self.problem(f"{publication} came at {self.position[0]}")
                self.apply(self.entries, [publication])
                self.position = (publication.get("offset", 0), self.position[1])
                count += 1
            self.check("before it is cut")
        finally:
            socket.abort()

    async def connect(self, enough, limit):
        try:
            await asyncio.wait_for(self.connection(enough), limit)
        except asyncio.TimeoutError:
            pass
        except (OSError, EOFError, streams.Closed, StopAsyncIteration) as error:
            self.problem(f"ended with {error!r}")

    async def run(self):
        while self.world.left > 0:
            self.world.left -= 1
            wanted = self.chance.choice((0, 1, 3, 20))
            limit = self.chance.uniform(0, 0.05) if self.chance.random() < 0.2 else 10
            await self.connect(lambda count: count >= wanted or self.world.stop, limit)
            await self.world.reached(self.map, len(self.map.changes) + self.chance.choice((0, 1, 5, 39, 41, 60)))

    async def finish(self):
        """After the publishers have stopped."""
        if not self.recoverable:
            self.position = None
        await self.connect(lambda _: True, 30)
        head = len(self.map.changes)
        if self.position is None or (self.recoverable and self.position[0] != head):
            return self.problem(f"ended at {self.position}, the head is {head}")
        self.map.checks.append((head, self.entries, f"{self.name} at the end"))


async def run(port, reconnects, clients, seed):
    world = World(port, seed, reconnects)
    observers = [asyncio.create_task(world.observe(known)) for known in world.maps.values()]
    await asyncio.gather(*(known.moved.wait() for known in world.maps.values()))
    publishers = [asyncio.create_task(world.publish(number)) for number in range(PUBLISHERS)]
    crowd = [Client(world, number) for number in range(clients)]
    running = asyncio.gather(*(client.run() for client in crowd))
    done, _ = await asyncio.wait([running, *publishers, *observers], return_when=asyncio.FIRST_COMPLETED)
    world.stop = True
    for task in done:
        task.result()  # a publisher or an observer that ended is a failure
    for known in world.maps.values():
        known.moved.set()
    await asyncio.gather(running, *publishers)
    for known in world.maps.values():
        while len(known.changes) < len(known.sent):
            known.moved.clear()
            await known.moved.wait()
    await asyncio.gather(*(client.finish() for client in crowd))
    for task in observers:
        task.cancel()
    for known in world.maps.values():
        known.judge(world.problems)
        world.totals["published"] += len(known.changes)
        world.totals["checks"] += len(known.checks)
    return world.problems, world.totals, world.maps
