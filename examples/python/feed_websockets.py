#!/usr/bin/env python3
"""apt install python3-websockets; python3 feed_websockets.py [URL] [COUNT]

Watches a channel and prints its messages, COUNT of them if it is given. After a cut it goes on where it stopped."""
import asyncio
import json
import random
import re
import sys

import websockets


async def watch(url, left):
    cursor = "-10"  # the last ten messages, then live
    failures = 0
    while True:
        # Wait longer after each failure, and never all clients at the same time.
        least, most = 0, min(30, 0.5 * 2 ** failures)
        failures += 1
        try:
            async with websockets.connect(f"{url}?meta=1&since={cursor}") as socket:
                async for text in socket:
                    failures = 0
                    record = json.loads(text)
                    cursor = record.get("position", cursor)
                    if "gap" in record:
                        print(f"missed {record['gap']['from']} to {record['gap']['to']}: {record['gap']['reason']}")
                    if "offset" in record:
                        cursor = f"{record['epoch']}:{record['offset']}"
                        print(f"{record['offset']}: {record.get('text', record.get('data', record.get('base64')))}")
                        left -= 1
                        if left == 0:
                            return
            print("cut off", file=sys.stderr)
        except websockets.InvalidHandshake as error:
            status = getattr(getattr(error, "response", error), "status_code", 0)
            if 400 <= status < 500 and status not in (408, 429):
                sys.exit(f"refused: {error}")  # for good: asking again does not help
            print(f"refused for now: {error}", file=sys.stderr)
        except websockets.ConnectionClosed as error:
            if error.code in (1008, 4401, 4403):
                sys.exit(f"refused: {error}")
            window = re.match(r"E_DRAINING \D+(\d+)\D+(\d+)", error.reason)
            if window:  # the server restarts, and says when to come back
                least, most = (int(ms) / 1000 for ms in window.groups())
            print(f"cut off: {error}", file=sys.stderr)
        except OSError as error:
            print(f"not reached: {error}", file=sys.stderr)
        await asyncio.sleep(random.uniform(least, most))


try:
    asyncio.run(watch(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/ws/news",
                      int(sys.argv[2]) if len(sys.argv) > 2 else -1))
except KeyboardInterrupt:
    pass
