#!/usr/bin/env python3
"""apt install python3-websocket; python3 feed_websocket_client.py [URL] [COUNT]

Watches a channel with callbacks and prints its messages as they are, COUNT of them if it is given. It ends when the
connection does; feed_websockets.py comes back."""
import sys

import websocket

left = int(sys.argv[2]) if len(sys.argv) > 2 else -1
failed = False


def on_message(socket, message):
    global left
    print(message)
    left -= 1
    if left == 0:
        socket.close()


def on_error(socket, error):
    global failed
    if not isinstance(error, KeyboardInterrupt):  # Ctrl-C comes here too
        failed = True
        print(f"error: {error}", file=sys.stderr)


app = websocket.WebSocketApp((sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8000/ws/news") + "?since=-10",
                             on_message=on_message, on_error=on_error,
                             on_close=lambda socket, code, reason: print(f"closed: {code} {reason}", file=sys.stderr))
try:
    app.run_forever()
except KeyboardInterrupt:
    pass
sys.exit(1 if failed else 0)
