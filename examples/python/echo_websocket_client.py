#!/usr/bin/env python3
"""apt install python3-websocket; python3 echo_websocket_client.py [URL]

Sends one message to /echo and prints the answer (library: websocket-client)."""
import sys

import websocket

try:
    socket = websocket.create_connection(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/echo")
    socket.send("Hello, World!")
    print(f"received: {socket.recv()}")
    socket.close()
except (OSError, websocket.WebSocketException) as error:
    sys.exit(f"failed: {error}")
except KeyboardInterrupt:
    pass
