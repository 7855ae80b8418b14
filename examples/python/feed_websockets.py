#!/usr/bin/env python3
"""apt install python3-websockets; python3 feed_websockets.py [URL] [COUNT]

Watches a channel and prints its messages, COUNT of them if it is given. After a cut it goes on where it stopped."""
import asyncio
import json
import sys

import websockets


async def watch(url, left):
    cursor = "-10"  # the last ten messages, then live
    while True:
        try:
            async with websockets.connect(f"{url}?meta=1&since={cursor}") as socket:
                async for text in socket:
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
        except (OSError, websockets.ConnectionClosed) as error:
            print(f"cut off: {error}", file=sys.stderr)
        await asyncio.sleep(1)


asyncio.run(watch(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/ws/news",
                  int(sys.argv[2]) if len(sys.argv) > 2 else -1))
