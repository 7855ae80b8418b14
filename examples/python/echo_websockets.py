#!/usr/bin/env python3
"""apt install python3-websockets; python3 echo_websockets.py [URL]

Sends one message to /echo and prints the answer (library: websockets)."""
import asyncio
import sys

import websockets


async def hello(url):
    async with websockets.connect(url) as socket:
        await socket.send("Hello, World!")
        print(f"received: {await socket.recv()}")


try:
    asyncio.run(hello(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/echo"))
except (OSError, websockets.WebSocketException) as error:
    sys.exit(f"failed: {error}")
except KeyboardInterrupt:
    pass
