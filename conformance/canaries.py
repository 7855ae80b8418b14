#!/usr/bin/python3
"""The canary ledger: healthy clients on every door and a publisher of numbered messages. Usage: canaries.py PORT PER_DOOR

Writes "watching" once every client has its subscription; publishes until a line comes on stdin; then waits until each
client has the last number and writes one JSON object: {"published", "delivered", "problems"}. Each client must see
1, 2, 3, ... without a hole, a double or a step back, on a connection that is never cut.
"""
import asyncio
import json
import os
import sys

import streams

PAUSE_S = 0.01  # between two publishes: a steady load, not a flood
LEAST = 20       # however short the attack was
DEADLINE_S = 60


class Canary:
    def __init__(self, name):
        self.name = name
        self.last = 0
        self.problems = []
        self.subscribed = asyncio.Event()
        self.done = asyncio.Event()
        self.goal = None

    def take(self, number):
        if number != self.last + 1:
            self.problems.append(f"{self.name}: {number} came after {self.last}")
        self.last = number
        self.settle()

    def settle(self):
        if self.goal is not None and self.last >= self.goal:
            self.done.set()


async def watch(canary, run):
    try:
        await run(canary)
    except asyncio.CancelledError:
        raise
    except Exception as error:  # any end of a healthy connection is a finding
        canary.problems.append(f"{canary.name}: cut off after {canary.last}: {error!r}")
        canary.subscribed.set()
        canary.done.set()


async def main():
    port, per_door = int(sys.argv[1]), int(sys.argv[2])
    channel = f"canary-{os.getpid()}"

    async def ws_envelope(canary):
        socket = await streams.WebSocket.open(port, f"/ws/{channel}?meta=1")
        async for record in socket.messages():
            record = json.loads(record)
            if "position" in record and "gap" not in record:
                canary.subscribed.set()
            elif "offset" in record:
                canary.take(record["data"])
            else:
                raise RuntimeError(record)

    async def ws_raw(canary):
        socket = await streams.WebSocket.open(port, f"/ws/{channel}?publish=0&since=-1000")
        canary.subscribed.set()  # with -N nothing can be missed between the upgrade and the subscription
        async for text in socket.messages():
            canary.take(json.loads(text))

    async def sse(canary):
        events = await streams.EventSource.open(port, f"/sse/{channel}?meta=0")
        async for event in events.events():
            if event["data"] is None:
                canary.subscribed.set()
            elif event["event"] == "message":
                canary.take(json.loads(event["data"]))
            else:
                raise RuntimeError(event)

    async def poll(canary):
        http = await streams.Http.open(port)
        cursor = (await http.json("GET", f"/poll/{channel}"))["cursor"]
        canary.subscribed.set()
        while True:
            answer = await http.json("GET", f"/poll/{channel}?since={cursor}")
            cursor = answer["cursor"]
            for record in answer["messages"]:
                canary.take(record["data"])

    doors = {"ws envelope": ws_envelope, "ws raw": ws_raw, "sse": sse, "poll": poll}
    canaries, tasks = [], []
    for door, run in doors.items():
        for i in range(per_door):
            canary = Canary(f"{door} {i}")
            canaries.append(canary)
            tasks.append(asyncio.create_task(watch(canary, run)))
    await asyncio.wait_for(asyncio.gather(*(c.subscribed.wait() for c in canaries)), DEADLINE_S)
    publisher = await streams.Http.open(port)
    await publisher.request("GET", "/health")  # what is counted from now on has been accepted
    print("watching", flush=True)

    stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    published, problems = 0, []
    while not stop.done() or published < LEAST:
        answer = await publisher.json("POST", f"/pub/{channel}", str(published + 1), "application/json")
        published += 1
        if answer.get("offset") != published:
            problems.append(f"publisher: message {published} was answered {answer}")
            break
        await asyncio.wait([stop], timeout=PAUSE_S)

    for canary in canaries:
        canary.goal = published
        canary.settle()
    _, late = await asyncio.wait([asyncio.create_task(c.done.wait()) for c in canaries], timeout=DEADLINE_S)
    if late:
        problems += [f"{c.name}: has {c.last} of {published}" for c in canaries if not c.done.is_set()]
    for task in tasks:
        task.cancel()
    for canary in canaries:
        problems += canary.problems
    delivered = sum(c.last for c in canaries)
    print(json.dumps({"published": published, "delivered": delivered, "problems": problems}), flush=True)
    os._exit(0)  # a thread may still wait on stdin


if __name__ == "__main__":
    asyncio.run(main())
