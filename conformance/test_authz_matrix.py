"""The authorisation matrix (threat T34): every door x action x channel x who, each cell computed by authz_model.py and compared with what
the server does. What a door does not have stands in ABSENT, with the reason.
"""
import collections
import json
import unittest

import authz_doors as doors
import authz_model as model
import rig
import wire

RAW = ("raw WebSocket", "SSE", "long poll", "HTTP publish")
BOTH_WAYS = {"Centrifuge WebSocket": doors.CentrifugeSocket, "Centrifuge HTTP stream": doors.CentrifugeStream}
DOORS = (*RAW, *BOTH_WAYS, "Centrifuge uni SSE", "server API")
ACTIONS = ("connect", "subscribe", "subscribe among others", "subscribe with its token", "subscribe with a wrong token", "publish",
           "publish when subscribed", "history", "history when subscribed", "presence", "presence when subscribed", "presence_stats",
           "presence_stats when subscribed", "replay by position", "replay by time", "last value", "cache recovery", "server-side subscription",
           "map state", "map changes", "map at once", "map with its token", "map publish", "map publish when subscribed", "map remove",
           "map remove when subscribed")
NO_VERB = "this door has no such request"
ONE_REQUEST = "who connects subscribes: the cell is `subscribe`"
ABSENT = {
    **{(door, "connect"): ONE_REQUEST for door in RAW},
    **{(door, action): "tokens of one channel are of the Centrifuge protocol" for door in RAW
       for action in ("subscribe with its token", "subscribe with a wrong token")},
    **{(door, action): NO_VERB for door in RAW for action in ACTIONS if action.startswith(("history", "presence"))},
    **{(door, "cache recovery"): "the mode is of the Centrifuge protocol; here it is `last value`" for door in RAW},
    **{(door, "server-side subscription"): "a raw client watches what its URL says" for door in RAW},
    ("raw WebSocket", "publish"): "who publishes on a socket is subscribed",
    **{(door, "subscribe among others"): "a command names one channel" for door in BOTH_WAYS},
    **{(door, action): "it publishes nothing: the door for that is HTTP publish" for door in ("SSE", "long poll")
       for action in ("publish", "publish when subscribed")},
    **{("HTTP publish", action): "it only publishes" for action in ACTIONS
       if action.startswith(("subscribe", "replay")) or action in ("last value", "publish when subscribed")},
    **{(door, action): "the protocol knows no such start; its recovery is `replay by position`"
       for door in (*BOTH_WAYS, "Centrifuge uni SSE") for action in ("replay by time", "last value")},
    **{("Centrifuge uni SSE", action): "its client sends nothing but connect" for action in ACTIONS
       if action.startswith(("publish", "history", "presence"))},
    ("server API", "subscribe"): "the cell is `server-side subscription`",
    **{("server API", action): "a key has no subscriptions" for action in ACTIONS
       if action.startswith("subscribe ") or action.endswith("when subscribed") or action == "cache recovery"},
    **{(door, action): "it knows of no maps but their changes, as messages" for door in (*RAW, "Centrifuge uni SSE") for action in ACTIONS
       if action.startswith("map ")},
    **{("server API", action): "a key has no subscriptions; what it may do with maps is in test_api.py" for action in ACTIONS
       if action.startswith("map ")},
    ("server API", "connect"): "a request each: who has no key has no action",
}


class Matrix(rig.ServerTest):
    options = {"dev": False, "config": model.config()}
    seen = collections.Counter()  # (door, action): cells that were compared

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for channel in model.CHANNELS:
            if model.verdict(model.WHO[-1], "publish", channel) == "allow":
                cls.api(cls.server, "publish", channel=channel, text=doors.SECRET)

    @staticmethod
    def api(server, method, key=model.API_KEY, **body):
        with wire.Connection(server.admin_address) as connection:
            answer = connection.request("POST", f"/api/{method}", json.dumps(body), {"X-API-Key": key} if key else {})
        assert answer.status == 200 or key != model.API_KEY or "unknown" in str(body) or "in-x" in str(body), (method, body, answer.body)
        return answer

    def setUp(self):
        self.wrong = []

    def cell(self, door, action, who, channel, expected, got):
        assert (door, action) not in ABSENT, (door, action)
        Matrix.seen[door, action] += 1
        if got != expected:
            self.wrong.append(f"{door}, {action}, {who.name}, {channel}: expected {expected}, got {got}")

    def tearDown(self):
        self.assertEqual(self.wrong, [], f"{len(self.wrong)} cells differ:\n" + "\n".join(self.wrong[:60]))

    # The doors of Wirebird

    def test_raw_doors(self):
        for who in model.WHO:
            raw = doors.Raw(self.server, model.headers_of(who))
            for channel in model.CHANNELS:
                expected = doors.on_http(model.verdict(who, "subscribe", channel))
                for door, ask in (("raw WebSocket", raw.websocket), ("SSE", raw.sse), ("long poll", raw.poll)):
                    self.cell(door, "subscribe", who, channel, expected, ask(channel))
                    for action, since in (("replay by position", f"{self.epoch(channel)}:0"), ("replay by time", "0"), ("last value", "-1")):
                        self.cell(door, action, who, channel, expected, ask(channel, since))
                for door, name in (("raw WebSocket", "ws"), ("SSE", "sse"), ("long poll", "poll")):
                    self.cell(door, "subscribe among others", who, channel, expected, raw.among_others(name, channel, "anyone:other-1"))
                if expected == "allow":
                    self.cell("raw WebSocket", "publish when subscribed", who, channel,
                              doors.on_http(model.verdict(who, "publish", channel, subscribed=True)), raw.publish_by_socket(channel))
                self.cell("HTTP publish", "publish", who, channel, doors.on_http(model.verdict(who, "publish", channel)), raw.publish(channel))

    epochs = {}

    def epoch(self, channel):
        if channel not in self.epochs:
            answer = self.api(self.server, "history", channel=channel, limit=0)
            self.epochs[channel] = answer.json["result"]["epoch"] if answer.status == 200 else "aaaaaaaa"
        return self.epochs[channel]

    def test_what_is_no_credential_of_a_raw_door(self):
        ann = model.WHO[4]
        expired, forged = model.token_of(ann, exp=1), model.token_of(ann)[:-3] + "AAA"
        of_channel = model.token_of(ann, channel="user:in-1")
        for name, headers, expected in (
                ("expired", {"Authorization": f"Bearer {expired}"}, (401, "E_TOKEN_EXPIRED")),
                ("forged", {"Authorization": f"Bearer {forged}"}, (401, "E_TOKEN")),
                ("of one channel", {"Authorization": f"Bearer {of_channel}"}, (401, "E_TOKEN")),
                ("API key", {"X-API-Key": model.API_KEY + "x"}, (401, "E_API_KEY"))):
            for method, target in (("GET", "/sse/anyone:in-1"), ("GET", "/poll/anyone:in-1"), ("POST", "/pub/anyone:in-1"), ("GET", "/ws/anyone:in-1")):
                with self.subTest(name, target=target):
                    if target.startswith(("/ws", "/sse")):
                        with self.assertRaises(wire.Refused) as caught:
                            (self.server.ws if target.startswith("/ws") else self.server.events)(target, headers=headers)
                        answer = caught.exception.response
                    else:
                        answer = self.server.http(method, target, "x" if method == "POST" else None, headers)
                    self.assertEqual((answer.status, answer.code), expected)

    # The doors of the Centrifuge protocol

    def test_centrifuge_both_ways(self):
        for door, carrier in BOTH_WAYS.items():
            for who in model.WHO:
                connect = {"token": model.token_of(who)} if model.has_token(who) else {}
                headers = model.headers_of(who) if who.api_key else {}
                with carrier(self.server, headers, connect) as client:
                    self.cell(door, "connect", who, "", "allow", client.outcome(client.connected))
                    for channel in model.CHANNELS:
                        self.commands(door, who, client, channel)
                        self.tokens_of_one_channel(door, who, client, channel, carrier)

    def commands(self, door, who, client, channel):
        def expected(verb, **standing):
            return doors.on_centrifuge(model.verdict(who, verb, channel, **standing))

        def requests(suffix, **standing):
            self.cell(door, f"publish{suffix}", who, channel, expected("publish", **standing), client.ask("publish", channel, data=doors.SECRET))
            self.cell(door, f"history{suffix}", who, channel, expected("history", **standing), client.ask("history", channel, limit=1))
            for method in ("presence", "presence_stats"):
                self.cell(door, f"{method}{suffix}", who, channel, expected("presence", **standing), client.ask(method, channel))

        requests("")
        self.cell(door, "replay by position", who, channel, expected("subscribe"),
                  client.subscribe(channel, recoverable=True, recover=True, epoch=self.epoch(channel), offset=0))
        if channel.startswith("cache:"):
            self.cell(door, "cache recovery", who, channel, expected("subscribe"), self.first_value(client, channel))
        reply = client.command(subscribe={"channel": channel})
        self.cell(door, "subscribe", who, channel, expected("subscribe"), client.outcome(reply))
        if "subscribe" in reply:
            requests(" when subscribed", subscribed=True)
            client.command(unsubscribe={"channel": channel})
        client.pushes.clear()

    def first_value(self, client, channel):
        """auto_cache_recover: without a word of the client."""
        reply = client.command(subscribe={"channel": channel})
        if "subscribe" in reply:
            self.assertEqual(reply["subscribe"]["publications"][0]["data"], doors.SECRET)
            client.command(unsubscribe={"channel": channel})
        return client.outcome(reply)

    def tokens_of_one_channel(self, door, who, client, channel, carrier):
        if who.name == "API key":
            return  # has every right already
        claims = {"channel": channel}
        if who.user:
            claims["sub"] = who.user
        own = model.tokens.token(claims)
        expected = doors.on_centrifuge(model.verdict(who, "subscribe", channel, channel_token=True))
        reply = client.command(subscribe={"channel": channel, "token": own})
        self.cell(door, "subscribe with its token", who, channel, expected, client.outcome(reply))
        if "subscribe" in reply:
            for verb, method in (("history", "history"), ("presence", "presence"), ("publish", "publish")):
                more = {"data": doors.SECRET} if method == "publish" else {"limit": 1} if method == "history" else {}
                self.cell(door, f"{method} when subscribed", who, channel,
                          doors.on_centrifuge(model.verdict(who, verb, channel, subscribed=True, channel_token=True)), client.ask(method, channel, **more))
            client.command(unsubscribe={"channel": channel})
        # A token that is not good is no better than none, even where none is needed.
        if model.verdict(who, "subscribe", channel) == "unknown":
            return
        for wrong, code in ((own[:-3] + "AAA", 103), ("nonsense", 103), (model.tokens.token({**claims, "exp": 1}), 109)):
            reply = client.command(subscribe={"channel": channel, "token": wrong})
            self.cell(door, "subscribe with a wrong token", who, channel, code, reply.get("error", {}).get("code", "allow"))
        client.pushes.clear()

    def test_tokens_of_something_else_end_the_connection(self):
        ann = model.WHO[4]
        for door, carrier in BOTH_WAYS.items():
            for claims in ({"channel": "token:in-2", "sub": "ann"}, {"channel": "token:in-1", "sub": "bob"}, {"channel": "token:in-1"},
                           {"channel": "token:in-1", "sub": "ann", "client": "another"}, {"channel": "token:in-*", "sub": "ann"}):
                with carrier(self.server, {}, {"token": model.token_of(ann)}) as client:
                    client.send(json.dumps({"id": 2, "subscribe": {"channel": "token:in-1", "token": model.tokens.token(claims)}}))
                    self.cell(door, "subscribe with a wrong token", ann, str(claims), 3500, client.wait_for_end())

    def test_maps(self):
        epochs = {}
        with doors.CentrifugeSocket(self.server, {"X-API-Key": model.API_KEY}, {}) as owner:
            for channel in model.MAP_CHANNELS:
                self.assertEqual(owner.change_map(channel, key="a", data=doors.SECRET), "allow", channel)
                epochs[channel] = owner.command(subscribe={"channel": channel, "type": 1, "phase": 2})["subscribe"]["epoch"]
        for door, carrier in BOTH_WAYS.items():
            for who in model.WHO:
                connect = {"token": model.token_of(who)} if model.has_token(who) else {}
                headers = model.headers_of(who) if who.api_key else {}
                with carrier(self.server, headers, connect) as client:
                    for channel in model.MAP_CHANNELS:
                        self.one_map(door, who, client, channel, {"recover": True, "epoch": epochs[channel]})

    def one_map(self, door, who, client, channel, recover):
        def expected(verb, **standing):
            return doors.on_centrifuge(model.verdict(who, verb, channel, **standing))

        def changes(suffix, **standing):
            self.cell(door, f"map publish{suffix}", who, channel, expected("publish", **standing), client.change_map(channel, key="b", data=1))
            self.cell(door, f"map remove{suffix}", who, channel, expected("remove", **standing), client.change_map(channel, key="b", removed=True))

        changes("")
        self.cell(door, "map state", who, channel, expected("subscribe"), client.page_of_map(channel, 2))
        if not channel.startswith("mapsweepers"):  # has no changes to recover
            self.cell(door, "map changes", who, channel, expected("subscribe"), client.page_of_map(channel, 1, **recover))
        self.cell(door, "map at once", who, channel, expected("subscribe"), client.page_of_map(channel, 0, **recover))
        if client.page_of_map(channel, 2, keep=True) == "allow":
            changes(" when subscribed", subscribed=True)
            client.command(unsubscribe={"channel": channel})
        if not who.api_key:
            own = model.tokens.token({"channel": channel, **({"sub": who.user} if who.user else {})})
            self.cell(door, "map with its token", who, channel, expected("subscribe", channel_token=True),
                      client.page_of_map(channel, 2, keep=True, token=own))
            client.command(unsubscribe={"channel": channel})
        client.pushes.clear()

    def test_who_may_connect(self):
        ann = model.WHO[4]
        for door, carrier in BOTH_WAYS.items():
            for name, value, code in (("forged", model.token_of(ann)[:-3] + "AAA", 3500), ("of one channel", model.token_of(ann, channel="user:in-1"), 3500),
                                      ("expired", model.token_of(ann, exp=1), 109)):
                with carrier(self.server, {}, {"token": value}) as client:
                    got = client.ended or client.connected["error"]["code"]
                self.cell(door, "connect", ann, name, code, got)

    def test_subscriptions_by_the_server(self):
        """What the back end says in the connection token, or by its API, needs no right of the client; the namespace must exist."""
        ann = model.WHO[4]
        for door, carrier in {**BOTH_WAYS, "Centrifuge uni SSE": None}.items():
            for claim in ("channels", "subs"):
                for channel in model.CHANNELS:
                    known = model.verdict(model.WHO[-1], "subscribe", channel) != "unknown"
                    value = model.token_of(ann, **{claim: [channel] if claim == "channels" else {channel: {}}})
                    if carrier is None:
                        with doors.Unidirectional(self.server, {}, {"token": value}) as client:
                            got = client.subscribed(channel)
                        expected = "allow" if known else got if isinstance(got, int) and got >= 3000 else "a disconnect"
                    else:
                        with carrier(self.server, {}, {"token": value}) as client:
                            got = client.outcome(client.connected)
                            if got == "allow" and channel not in client.connected["connect"].get("subs", {}):
                                got = "connected without it"
                        expected = "allow" if known else "unknown"
                    self.cell(door, "server-side subscription", ann, f"{claim} {channel}", expected, got)

    def test_unidirectional(self):
        door = "Centrifuge uni SSE"
        for who in model.WHO:
            connect = {"token": model.token_of(who)} if model.has_token(who) else {}
            headers = model.headers_of(who) if who.api_key else {}

            def ask(subs, channel):
                with doors.Unidirectional(self.server, headers, {**connect, "subs": subs}) as client:
                    return client.subscribed(channel)

            with doors.Unidirectional(self.server, headers, connect) as client:
                self.cell(door, "connect", who, "", "allow", "allow" if "connect" in client.next() else "no connect")
            for channel in model.CHANNELS:
                # What is refused is left out of the answer.
                expected = "allow" if model.verdict(who, "subscribe", channel) == "allow" else "forbidden"
                self.cell(door, "subscribe", who, channel, expected, ask({channel: {}}, channel))
                self.cell(door, "replay by position", who, channel, expected,
                          ask({channel: {"recover": True, "epoch": self.epoch(channel), "offset": 0}}, channel))
                if channel.startswith("cache:"):
                    self.cell(door, "cache recovery", who, channel, expected, ask({channel: {}}, channel))
                self.cell(door, "subscribe among others", who, channel, expected, ask({"anyone:other-1": {}, channel: {}}, channel))
                self.cell(door, "subscribe among others", who, f"anyone:other-1 behind {channel}", "allow",
                          ask({channel: {}, "anyone:other-1": {}}, "anyone:other-1"))
                if who.api_key or model.verdict(who, "subscribe", channel) == "unknown":
                    continue
                claims = {"channel": channel, **({"sub": who.user} if who.user else {})}
                with_token = "allow" if model.verdict(who, "subscribe", channel, channel_token=True) == "allow" else "forbidden"
                self.cell(door, "subscribe with its token", who, channel, with_token,
                          ask({channel: {"token": model.tokens.token(claims)}}, channel))
                for wrong, got in (({**claims, "exp": 1}, "forbidden"), ({**claims, "channel": "another"}, 3500), ({**claims, "sub": "eve"}, 3500)):
                    self.cell(door, "subscribe with a wrong token", who, channel, got, ask({channel: {"token": model.tokens.token(wrong)}}, channel))

    # The API of back ends

    def test_server_api(self):
        door = "server API"
        bodies = {"publish": {"text": doors.SECRET}, "history": {"limit": 1}, "presence": {}, "presence_stats": {}}
        for who, key in (("with the key", model.API_KEY), ("without a key", None), ("another key", model.API_KEY + "x")):
            person = model.WHO[-1]._replace(name=who)
            for channel in model.CHANNELS:
                verdict = model.verdict(model.WHO[-1], "publish", channel)
                for method, body in bodies.items():
                    answer = self.api(self.server, method, key, channel=channel, **body)
                    got = "allow" if answer.status == 200 else "refused" if answer.status in (400, 403, 404) else answer.code
                    expected = "E_API_KEY" if key != model.API_KEY else "allow" if verdict == "allow" else "refused"
                    self.cell(door, method, person, channel, expected, got)
                for action, since in (("replay by position", f"{self.epoch(channel)}:0"), ("replay by time", 0), ("last value", "-1")):
                    answer = self.api(self.server, "history", key, channel=channel, since=since)
                    got = "allow" if answer.status == 200 else "refused" if answer.status in (400, 403, 404) else answer.code
                    self.cell(door, action, person, channel, expected, got)
                    self.assertEqual(doors.SECRET in answer.body.decode(), got == "allow", answer.body)

    def test_the_api_subscribes_without_a_right_of_the_client(self):
        ann = model.WHO[4]
        for carrier in BOTH_WAYS.values():
            with carrier(self.server, {}, {"token": model.token_of(ann)}) as client:
                own = client.connected["connect"]["client"]
                for channel in ("closed:in-1", "token:out-1", "$token:out-1"):
                    self.api(self.server, "subscribe", key=None, user="ann", client=own, channel=channel)
                    self.api(self.server, "subscribe", user="ann", client=own, channel=channel)
                    self.cell("server API", "server-side subscription", ann, channel, channel, client.push("subscribe")["channel"])

    def test_no_token_opens_the_api(self):
        for who in model.WHO:
            if who.api_key:
                continue
            with wire.Connection(self.server.admin_address) as connection:
                answer = connection.request("POST", "/api/publish", '{"channel":"anyone:in-1","text":"x"}', model.headers_of(who))
                self.assert_refused(401, "E_API_KEY", answer)
            self.assertEqual(self.server.http("POST", "/api/publish", "{}", model.headers_of(who)).status, 404)


class EveryCell(unittest.TestCase):
    """Runs last: nothing is left out without a word."""

    def test_every_cell_was_compared_or_is_absent_for_a_reason(self):
        if not Matrix.seen:
            self.skipTest("the matrix itself did not run")
        missing = [cell for door in DOORS for action in ACTIONS if (cell := (door, action)) not in ABSENT and not Matrix.seen[cell]]
        self.assertEqual(missing, [])
        print(f"{sum(Matrix.seen.values())} cells of {len(Matrix.seen)} kinds; {len(ABSENT)} kinds that do not exist:")
        for (door, action), reason in ABSENT.items():
            print(f"  {door}, {action}: {reason}")


def load_tests(loader, tests, pattern):
    order = (Matrix, EveryCell)
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in order)


if __name__ == "__main__":
    rig.main()
