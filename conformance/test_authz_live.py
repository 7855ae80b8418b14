"""Rights that are taken away from who has them (threat T35): every door x every way to take them. Who had them gets nothing from then on
and does not come in again; who else watches the same channel misses nothing.
"""
import json
import signal
import unittest

import authz_doors as doors
import authz_model as model
import rig
import wire

CHANNEL = "user:in-1"
ANN, BOB = model.WHO[4], model.WHO[5]


class RawSocket:
    def __init__(self, server, value):
        self.socket = server.ws(f"/ws/{CHANNEL}?meta=1", {"Authorization": f"Bearer {value}"})
        self.socket.recv_json()

    def next(self):
        return self.socket.recv_json()["text"]

    def end(self):
        """(what still came, how it ended)"""
        code, reason = self.socket.expect_close()
        return f"{code} {reason.split(' ')[0]}"

    def close(self):
        self.socket.close()


class Events(RawSocket):
    def __init__(self, server, value):
        self.socket = server.events(f"/sse/{CHANNEL}", headers={"Authorization": f"Bearer {value}"})
        self.socket.next()

    def next(self):
        return json.loads(self.socket.next()["data"])["text"]

    def end(self):
        try:
            event = self.socket.next()
            return f"went on with {event}"
        except EOFError:
            return "end"


class Poll(RawSocket):
    """One that waits."""

    def __init__(self, server, value):
        headers = {"Authorization": f"Bearer {value}"}
        cursor = server.http("GET", f"/poll/{CHANNEL}", headers=headers)
        if cursor.status != 200:
            raise wire.Refused(cursor)
        self.socket = server.connect()
        self.socket.send((f"GET /poll/{CHANNEL}?since={cursor.json['cursor']}&timeout=60 HTTP/1.1\r\nHost: {self.socket.host}\r\n"
                          f"Authorization: Bearer {value}\r\n\r\n").encode())
        server.until(lambda: self.waits(server), "the poll is not there")

    @staticmethod
    def waits(server):
        with wire.Connection(server.admin_address) as connection:
            answer = connection.request("POST", "/api/connections", "{}", {"X-API-Key": model.API_KEY})
        listed = answer.json["result"]["connections"].values()
        return any(each["transport"] == "poll" and CHANNEL in each["state"]["channels"] for each in listed)

    def next(self):
        return self.socket.read_response().json["messages"][0]["text"]

    def end(self):
        answer = self.socket.read_response()
        return f"{answer.status} {answer.code if answer.status != 200 else answer.body}"


class Publisher(RawSocket):
    """Nobody who watches: only whether the next request is taken."""

    def __init__(self, server, value):
        self.server, self.headers = server, {"Authorization": f"Bearer {value}"}
        answer = server.http("POST", f"/pub/{CHANNEL}-pub", "x", self.headers)
        if answer.status != 200:
            raise wire.Refused(answer)

    def next(self):
        return None

    def end(self):
        answer = self.server.http("POST", f"/pub/{CHANNEL}-pub", "x", self.headers)
        return f"{answer.status} {answer.code}"

    def close(self):
        pass


class Bidirectional:
    carrier = doors.CentrifugeSocket

    def __init__(self, server, value):
        self.client = self.carrier(server, {}, {"token": value})
        if self.client.connected is None:
            raise EndedAtOnce(self.client.ended)
        reply = self.client.command(subscribe={"channel": CHANNEL})
        if "error" in reply:
            raise EndedAtOnce(reply["error"]["code"])

    def next(self):
        return self.client.push("pub")["pub"]["data"]

    def end(self):
        code = self.client.wait_for_end()
        came = [push for push in self.client.pushes if "pub" in push]
        return f"went on with {came}" if came else str(code)

    def unsubscribed(self):
        """The code of the push; nothing came before it."""
        code = self.client.push("unsubscribe")["unsubscribe"]["code"]
        assert not self.client.pushes, self.client.pushes
        return code

    def close(self):
        self.client.close()


class Stream(Bidirectional):
    carrier = doors.CentrifugeStream


class OneWay:
    def __init__(self, server, value):
        self.client = doors.Unidirectional(server, {}, {"token": value, "subs": {CHANNEL: {}}})
        came = self.client.subscribed(CHANNEL)
        if came != "allow":
            raise EndedAtOnce(came)

    def next(self):
        return self.client.next()["pub"]["data"]

    def end(self):
        push = self.client.next()
        return str(push["disconnect"]["code"]) if "disconnect" in push else f"went on with {push}"

    def close(self):
        self.client.close() if hasattr(self.client, "close") else self.client.events.close()


class EndedAtOnce(Exception):
    pass


WATCHERS = {"raw WebSocket": RawSocket, "SSE": Events, "long poll": Poll, "HTTP publish": Publisher, "Centrifuge WebSocket": Bidirectional,
            "Centrifuge HTTP stream": Stream, "Centrifuge uni SSE": OneWay}
CENTRIFUGE = [name for name in WATCHERS if name.startswith("Centrifuge")]


def ends(raw, poll, centrifuge):
    return {**{name: centrifuge for name in CENTRIFUGE}, "raw WebSocket": raw, "SSE": "end", "long poll": poll, "HTTP publish": poll}


class TakenAway(rig.ServerTest):
    options = {"dev": False, "config": model.config()}

    def api(self, method, **body):
        with wire.Connection(self.server.admin_address) as connection:
            answer = connection.request("POST", f"/api/{method}", json.dumps(body), {"X-API-Key": model.API_KEY})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def taken_away(self, by, ended, refused, door, value_of=lambda: model.token_of(ANN, jti="ann-1", iat=1)):
        """`by()` takes ann's rights; `ended` and `refused` say how her connection ends and a new one is refused."""
        watcher_of = WATCHERS[door]
        value = value_of()
        ann, bob = watcher_of(self.server, value), RawSocket(self.server, model.token_of(BOB))
        self.addCleanup(ann.close)
        self.addCleanup(bob.close)
        by()
        self.api("publish", channel=CHANNEL, text="not for ann")
        self.assertEqual(ann.end(), ended, door)
        self.assertEqual(bob.next(), "not for ann")
        with self.assertRaises((wire.Refused, EndedAtOnce)) as caught:
            watcher_of(self.server, value).close()
        got = caught.exception
        self.assertEqual((got.response.status, got.response.code) if isinstance(got, wire.Refused) else got.args[0], refused, door)

    def on_every_door(self, by, undo, how_ended, refused, refused_centrifuge):
        for door in WATCHERS:
            with self.subTest(door):
                self.taken_away(by, how_ended[door], refused_centrifuge if door in CENTRIFUGE else refused, door)
            undo()

    def test_what_is_not_taken_away_goes_on(self):
        """The watchers themselves: each is told what is published."""
        for door, watcher_of in WATCHERS.items():
            with self.subTest(door):
                ann = watcher_of(self.server, model.token_of(ANN))
                self.addCleanup(ann.close)
                self.api("block_user", user="somebody else")
                self.api("revoke_token", uid="another")
                self.api("publish", channel=CHANNEL, text="for ann")
                self.assertIn(ann.next(), ("for ann", None))

    def test_block_user(self):
        self.on_every_door(lambda: self.api("block_user", user="ann"), lambda: self.api("unblock_user", user="ann"),
                           ends("4401 E_REVOKED", "403 E_REVOKED", "3503"), (403, "E_REVOKED"), 3503)
        for door, watcher_of in WATCHERS.items():  # unblocked: the same token is good again
            with self.subTest(door):
                watcher_of(self.server, model.token_of(ANN, jti="ann-1", iat=1)).close()

    def test_revoke_token(self):
        for number, door in enumerate(WATCHERS):
            with self.subTest(door):
                own = f"ann-revoked-{number}"
                ended = ends("4401 E_REVOKED", "403 E_REVOKED", "3503")[door]
                self.taken_away(lambda: self.api("revoke_token", uid=own), ended, 3500 if door in CENTRIFUGE else (403, "E_REVOKED"), door,
                                lambda: model.token_of(ANN, jti=own))
                WATCHERS[door](self.server, model.token_of(ANN, jti=f"{own}-another")).close()

    def test_invalidate_user_tokens(self):
        for number, door in enumerate(WATCHERS):
            with self.subTest(door):
                own = ANN._replace(user=f"carl-{number}")
                ended = ends("4401 E_REVOKED", "403 E_REVOKED", "3503")[door]
                self.taken_away(lambda: self.api("invalidate_user_tokens", user=own.user, issued_before=1000), ended,
                                3500 if door in CENTRIFUGE else (403, "E_REVOKED"), door, lambda: model.token_of(own, iat=999))
                WATCHERS[door](self.server, model.token_of(own, iat=1001)).close()

    def test_disconnect(self):
        """Ends the connection; nothing is refused afterwards."""
        expected = ends("4401 E_REVOKED", "403 E_REVOKED", "3503")
        for door in WATCHERS:
            if door == "HTTP publish":
                continue  # has no connection that could end
            with self.subTest(door):
                ann = WATCHERS[door](self.server, model.token_of(ANN))
                self.addCleanup(ann.close)
                self.api("disconnect", user="ann")
                self.api("publish", channel=CHANNEL, text="not for ann")
                self.assertEqual(ann.end(), expected[door])
                WATCHERS[door](self.server, model.token_of(ANN)).close()

    def test_unsubscribe(self):
        expected = ends("4401 E_REVOKED", "403 E_REVOKED", None)
        for door in WATCHERS:
            if door == "HTTP publish":
                continue  # watches nothing
            with self.subTest(door):
                ann = WATCHERS[door](self.server, model.token_of(ANN))
                self.addCleanup(ann.close)
                self.api("unsubscribe", user="ann", channel=CHANNEL)
                self.api("publish", channel=CHANNEL, text="not for ann")
                if door == "Centrifuge uni SSE":
                    self.assertEqual(ann.client.next()["unsubscribe"]["code"], 2000)
                elif door in CENTRIFUGE:
                    self.assertEqual(ann.unsubscribed(), 2000)
                    self.assertNotIn("error", ann.client.command(subscribe={"channel": CHANNEL}))
                else:
                    self.assertEqual(ann.end(), expected[door])

    def test_what_a_connection_watched_ends_with_it(self):
        """Else its place in the server, which another connection takes, goes on getting the messages."""
        for carrier in (doors.CentrifugeSocket, doors.CentrifugeStream):
            for count in (1, 2, 3):
                with carrier(self.server, {}, {"token": model.token_of(ANN)}) as client:
                    channels = [f"user:{n}" for n in range(count)]
                    for _ in range(2):
                        for method in ("subscribe", "unsubscribe"):
                            for channel in channels:
                                self.assertNotIn("error", client.command(**{method: {"channel": channel}}))
                    client.command(subscribe={"channel": "user:last"})
                    self.assertGreater(self.subscriptions(), 0)
                self.server.until(lambda: self.subscriptions() == 0, f"a subscription outlived its connection, which had {count}")

    def subscriptions(self):
        with wire.Connection(self.server.admin_address) as connection:
            lines = connection.request("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.split()[1]) for line in lines if line.startswith("wirebird_subscriptions"))

    def test_a_revoked_subscription_token_opens_nothing(self):
        for carrier in (doors.CentrifugeSocket, doors.CentrifugeStream):
            with carrier(self.server, {}, {"token": model.token_of(ANN)}) as client:
                value = model.tokens.token({"channel": "token:out-1", "sub": "ann", "jti": "of a subscription"})
                self.api("revoke_token", uid="of a subscription")
                self.assertEqual(client.command(subscribe={"channel": "token:out-1", "token": value}).get("error", {}).get("code"), 103)


class TakenAwayByReload(rig.ServerTest):
    options = {"dev": False, "config": model.config()}
    CLOSED = model.config(namespaces={**model.NAMESPACES, "user": {"subscribe": "nobody", "publish": "nobody"}})

    def reload(self, config):
        before = self.server.log().count("event=reloaded")
        self.server.configure(config)
        self.server.signal(signal.SIGHUP)
        self.server.until(lambda: self.server.log().count("event=reloaded") > before, lambda: f"no word of a reload:\n{self.server.log()}")

    def api(self, method, **body):
        with wire.Connection(self.server.admin_address) as connection:
            self.assertEqual(connection.request("POST", f"/api/{method}", json.dumps(body), {"X-API-Key": model.API_KEY}).status, 200)

    def test_reload(self):
        # Unsubscribed, not disconnected: the client asks again and is refused.
        expected = {**ends("4401 E_REVOKED", "403 E_REVOKED", 2500), "HTTP publish": "403 E_FORBIDDEN", "Centrifuge uni SSE": "3010"}
        for door, watcher_of in WATCHERS.items():
            with self.subTest(door):
                ann = watcher_of(self.server, model.token_of(ANN))
                self.addCleanup(ann.close)
                self.reload(self.CLOSED)
                self.api("publish", channel=CHANNEL, text="not for ann")
                if door in CENTRIFUGE[:2]:
                    self.assertEqual(ann.unsubscribed(), expected[door])
                    for method, more in (("subscribe", {"recover": True, "recoverable": True}), ("history", {"limit": 1}), ("presence", {}),
                                         ("presence_stats", {}), ("publish", {"data": "x"})):
                        reply = ann.client.command(**{method: {"channel": CHANNEL, **more}})
                        self.assertEqual(reply.get("error", {}).get("code"), 103, (method, reply))
                else:
                    self.assertEqual(ann.end(), expected[door])
                with self.assertRaises((wire.Refused, EndedAtOnce)):
                    watcher_of(self.server, model.token_of(ANN)).close()
            self.reload(model.config())
            watcher_of(self.server, model.token_of(ANN)).close()


if __name__ == "__main__":
    rig.main()
