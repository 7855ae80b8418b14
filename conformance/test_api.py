"""The server's API against its own description (docs/openapi.yaml), and what each method does.

Every method of the description is called with each of its examples and with bad bodies, and every answer is validated.
"""
import base64
import json
import re
import time

import jsonschema
import yaml

import rig
import wire
from centrifuge_wire import Socket
from tokens import KEY, claims, token

SPEC = yaml.safe_load((rig.HERE.parent / "docs/openapi.yaml").read_text(encoding="utf-8"))
SOURCE = (rig.HERE.parent / "src/door/server_api/parse.cc").read_text(encoding="utf-8")
BAD_BODIES = (b"{", b"[]", b"null", b'"x"', b"7", b'{"no_such_field":1}', b"\xff", b"[" * 100, b'{"channel":' + b"[" * 40 + b"]" * 40 + b"}")
API_KEY = "an-api-key-for-tests-0123"


def resolved(value):
    """What a $ref stands for."""
    while isinstance(value, dict) and "$ref" in value:
        node = SPEC
        for step in value["$ref"].removeprefix("#/").split("/"):
            node = node[step]
        value = node
    return value


def validate(schema, value):
    jsonschema.Draft202012Validator(schema, resolver=jsonschema.RefResolver("", SPEC)).validate(value)


def operations():
    """(method, name, operation) of every path."""
    for path, item in SPEC["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path.removeprefix("/"), operation


def schema_of(operation, status):
    answer = operation["responses"].get(str(status), operation["responses"]["default"])
    return resolved(answer)["content"]["application/json"]["schema"]


class ApiTest(rig.ServerTest):
    def ask(self, name, body, headers=()):
        body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        return self.server.http("POST", f"/api/{name}" if name else "/api", body, {"Content-Type": "application/json", **dict(headers)})

    def result(self, name, body):
        answer = self.ask(name, body)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json["result"]

    def error(self, name, body, headers=()):
        answer = self.ask(name, body, headers)
        self.assertGreaterEqual(answer.status, 400, answer.body)
        validate({"$ref": "#/components/schemas/Error"}, answer.json)
        return answer.json["error"]["code"]


class Description(ApiTest):
    options = {"config": """
[server]
listen = ["127.0.0.1:PORT"]
[namespaces.board]
subscription_type = "map"
map_mode = "persistent"
map_ordered = true
"""}

    def test_it_is_valid_and_served(self):
        answer = self.server.http("GET", "/api/openapi.yaml")
        self.assertEqual((answer.status, answer.header("Content-Type")), (200, "application/yaml"))
        self.assertEqual(yaml.safe_load(answer.body), SPEC)
        for schema in SPEC["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)

    def test_it_has_every_method_and_no_other(self):
        methods = set(re.findall(r'^    \{"(\w+)", parse_\w+', SOURCE, re.MULTILINE))
        self.assertGreater(len(methods), 30)
        self.assertEqual({name for _, name, _ in operations()}, methods | {"batch", "ticket"})
        for name in ("nothing", "Publish", "publish/", "openapi.yml"):
            self.assertEqual(self.server.http("POST", f"/api/{name}", "{}").status, 404, name)

    def test_every_example(self):
        for method, name, operation in operations():
            if method != "POST" or name == "ticket":
                continue
            content = resolved(operation["requestBody"])["content"]["application/json"]
            for title, example in content["examples"].items():
                with self.subTest(f"{name} {title}"):
                    validate(content["schema"], example["value"])
                    answer = self.ask(name, example["value"])
                    served = "200" in operation["responses"]
                    self.assertEqual(answer.status == 200, served, answer.body)
                    validate(schema_of(operation, answer.status), answer.json)
                    if not served:
                        self.assertEqual(answer.json["error"]["code"], 108)

    def test_bad_bodies(self):
        for method, name, operation in operations():
            if method != "POST" or name == "ticket":
                continue
            for body in BAD_BODIES:
                with self.subTest(f"{name} {body[:30]}"):
                    answer = self.ask(name, body)
                    validate(schema_of(operation, answer.status), answer.json)
                    takes_any = name == "info" or "/Any" in operation["requestBody"]["$ref"]
                    if body in (b"{", b"\xff", b"[" * 100) or not takes_any:
                        self.assertEqual((answer.status, answer.json["error"]["code"]), (400, 107), answer.body)

    def test_get(self):
        for method, name, operation in operations():
            has_get = "get" in SPEC["paths"][f"/{name}"]
            target = f"/api/{name}?channel=x" if name == "history" else f"/api/{name}"
            answer = self.server.http("GET", target)
            if has_get:
                self.assertEqual(answer.status, 200, answer.body)
                validate(schema_of(SPEC["paths"][f"/{name}"]["get"], 200), answer.json)
            else:
                self.assertEqual((answer.status, answer.header("Allow")), (405, "POST"), name)

    def test_ticket(self):
        answer = self.server.http("POST", "/api/ticket", "")
        operation = SPEC["paths"]["/ticket"]["post"]
        self.assertEqual(answer.status, 401)
        validate(schema_of(operation, 401), answer.json)
        self.assertEqual(answer.json["error"]["code"], 101)


class Publishing(ApiTest):
    def test_options_of_a_publish(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}?meta=1") as watcher:
            watcher.recv_json()
            self.result("publish", {"channel": channel, "data": 1})
            self.result("publish", {"channel": channel, "data": 2, "skip_history": True})
            self.result("publish", {"channel": channel, "b64data": base64.b64encode(b"\x00\x01").decode(), "delta": True})
            self.assertEqual([watcher.recv_json()["offset"] for _ in range(3)], [1, 2, 3])
        publications = self.result("history", {"channel": channel, "limit": -1})["publications"]
        self.assertEqual(publications, [{"data": 1, "offset": 1}, {"b64data": "AAE=", "offset": 3}])
        with self.server.ws(f"/ws/{channel}?meta=1&since=-10") as late:
            self.assertIn("position", late.recv_json())
            self.assertEqual([late.recv_json()["offset"] for _ in range(2)], [1, 3])
            self.result("publish", {"channel": channel, "data": 4})
            self.assertEqual(late.recv_json()["offset"], 4, "no gap")

    def test_versions(self):
        channel = self.channel()
        answers = [self.ask("publish", {"channel": channel, "data": v, "version": v, "version_epoch": e}).json
                   for v, e in ((5, "a"), (4, "a"), (5, "a"), (6, "a"), (1, "b"))]
        self.assertEqual([answer["result"].get("suppressed", False) for answer in answers], [False, True, True, False, False])
        self.assertEqual([answer["offset"] for answer in answers], [1, 1, 1, 2, 3])

    def test_broadcast(self):
        channels = [f"{self.channel()}{i}" for i in range(700)]  # more than are asked at a time
        body = {"channels": channels, "data": {"x": 1}, "idempotency_key": "k", "tags": {"a": "1"}}
        responses = self.result("broadcast", body)["responses"]
        self.assertEqual([response["result"]["offset"] for response in responses], [1] * 700)
        self.assertEqual(self.result("broadcast", body)["responses"], responses, "the key counts for each channel")
        conflict = self.result("broadcast", {**body, "channels": ["new", channels[0]], "data": 2})["responses"]
        self.assertEqual(conflict[0]["result"]["offset"], 1)
        self.assertEqual(conflict[1]["error"]["code"], 113)
        publication = self.result("history", {"channel": channels[699], "limit": 1})["publications"][0]
        self.assertEqual(publication, {"data": {"x": 1}, "offset": 1, "tags": {"a": "1"}})

    def test_batch_runs_in_order(self):
        channel = self.channel()
        for parallel in (False, True):
            commands = [{"publish": {"channel": channel, "data": i}} for i in range(300)]
            commands += [{"history": {"channel": channel, "limit": 1, "reverse": True}}, {"history_remove": {"channel": channel}}]
            commands += [{"publish": {"channel": ""}}, {"nothing": {}}, {"shared_poll_publish": {"channel": channel}}]
            replies = self.ask("batch", {"commands": commands, "parallel": parallel}).json["replies"]
            offsets = [reply["publish"]["offset"] for reply in replies[:300]]
            self.assertEqual(offsets, list(range(offsets[0], offsets[0] + 300)))
            if not parallel:
                self.assertEqual(replies[300]["history"]["publications"][0]["data"], 299)
            self.assertEqual(replies[301], {"history_remove": {}})
            self.assertEqual([reply["error"]["code"] for reply in replies[302:]], [107, 104, 108])
        self.assertEqual(self.ask("batch", {"commands": []}).json, {"replies": []})

    def test_legacy_endpoint(self):
        channel = self.channel()
        one = self.ask("", {"method": "publish", "params": {"channel": channel, "data": 1}})
        self.assertEqual((one.status, one.json["result"]["offset"]), (200, 1))
        lines = "\n".join(json.dumps(command) for command in (
            {"method": "PUBLISH", "params": {"channel": channel, "data": 2}, "id": 7}, {"method": 6, "params": {"channel": channel, "limit": 9}},
            {"method": "nothing", "id": 9}))
        replies = [json.loads(line) for line in self.ask("", lines).body.decode().split("\n")]
        self.assertEqual(replies[0]["id"], 7)
        self.assertEqual([p["data"] for p in replies[1]["result"]["publications"]], [1, 2])
        self.assertEqual((replies[2]["id"], replies[2]["error"]["code"]), (9, 104))
        self.assertEqual(self.error("", "{"), 107)
        self.assertEqual(self.server.http("GET", "/api").status, 405)

    def test_a_caller_who_leaves_harms_nobody(self):
        channels = [f"{self.channel()}{i}" for i in range(1000)]
        body = json.dumps({"commands": [{"broadcast": {"channels": channels, "data": i}} for i in range(10)]})
        for _ in range(5):
            with self.server.connect() as connection:
                connection.send(f"POST /api/batch HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        self.assertEqual(len(self.result("broadcast", {"channels": channels, "data": 1})["responses"]), 1000)

    def test_pipelined_requests_are_answered_in_order(self):
        channel = self.channel()
        bodies = [json.dumps(body) for body in ({"channel": channel, "data": 1}, {"channel": channel}, {"channel": channel, "data": 2})]
        with self.server.connect() as connection:
            connection.send("".join(f"POST /api/publish HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(b)}\r\n\r\n{b}" for b in bodies).encode())
            self.assertEqual([connection.read_response().status for _ in bodies], [200, 400, 200])


class History(ApiTest):
    def publications(self, body):
        return [publication["offset"] for publication in self.result("history", body)["publications"]]

    def test_windows(self):
        channel = self.channel()
        for i in range(1, 8):
            self.result("publish", {"channel": channel, "data": i})
        position = self.result("history", {"channel": channel, "limit": 0})
        self.assertEqual((position["publications"], position["offset"]), ([], 7))
        epoch = position["epoch"]
        for body, offsets in (
                ({"limit": -1}, [1, 2, 3, 4, 5, 6, 7]), ({"limit": 2}, [1, 2]), ({"limit": 2, "reverse": True}, [7, 6]),
                ({"limit": 2, "since": {"offset": 2, "epoch": epoch}}, [3, 4]), ({"limit": -1, "since": {"offset": 5}}, [6, 7]),
                ({"limit": -1, "since": {"offset": 3, "epoch": epoch}, "reverse": True}, [2, 1]), ({"limit": -1, "since": {"offset": 7, "epoch": epoch}}, []),
                ({"since": {"offset": 2, "epoch": epoch}}, [])):
            with self.subTest(body):
                self.assertEqual(self.publications({"channel": channel, **body}), offsets)
        both = self.ask("history", {"channel": channel, "limit": 2}).json
        self.assertEqual([m["offset"] for m in both["messages"]], [6, 7], "ours is the newest")
        self.assertTrue(both["result"]["more"])
        since = self.ask("history", {"channel": channel, "since": f"{epoch}:5"}).json
        self.assertEqual([p["offset"] for p in since["result"]["publications"]], [6, 7])
        for wrong in ({"offset": 8, "epoch": epoch}, {"offset": 1, "epoch": "zzzzzzzz"}, {"offset": 1, "epoch": "other text"}):
            self.assertEqual(self.error("history", {"channel": channel, "since": wrong, "limit": 1}), 112)

    def test_remove(self):
        channel = self.channel()
        for i in range(3):
            self.result("publish", {"channel": channel, "data": i})
        self.assertEqual(self.ask("history_remove", {"channel": channel}).json, {"result": {}})
        self.assertEqual(self.publications({"channel": channel, "limit": -1}), [])
        self.assertEqual(self.result("publish", {"channel": channel, "data": 3})["offset"], 4)


class Maps(ApiTest):
    options = {"config": """
[server]
listen = ["127.0.0.1:PORT"]
[namespaces.map]
subscription_type = "map"
map_mode = "persistent"
history_messages_max = 5
[namespaces.board]
subscription_type = "map"
map_ordered = true
map_keys_max = 3
[namespaces.cursors]
subscription_type = "map"
map_mode = "ephemeral"
map_key_ttl = "1s"
[namespaces.who]
subscription_type = "map_clients"
"""}

    def state(self, channel, **options):
        return [(entry["key"], entry.get("data")) for entry in self.result("map_read_state", {"channel": channel, **options})["entries"]]

    def reason(self, name, body):
        return self.result(name, body).get("suppress_reason")

    def test_a_key_is_published_read_and_removed(self):
        channel = "map:" + self.channel()
        one = self.result("map_publish", {"channel": channel, "key": "b", "data": {"x": 1}, "tags": {"room": "a"}})
        self.assertEqual(one["offset"], 1)
        self.assertEqual(self.result("map_publish", {"channel": channel, "key": "a", "text": "t"}), {"offset": 2, "epoch": one["epoch"]})
        self.assertEqual(self.state(channel), [("a", "t"), ("b", {"x": 1})])
        self.assertEqual(self.result("map_stats", {"channel": channel}), {"num_keys": 2})
        self.assertEqual(self.result("map_remove", {"channel": channel, "key": "b"})["offset"], 3)
        self.assertEqual(self.reason("map_remove", {"channel": channel, "key": "b"}), "key_not_found")
        self.assertEqual(self.state(channel), [("a", "t")])
        changes = self.result("map_read_stream", {"channel": channel, "since_offset": 1, "since_epoch": one["epoch"]})
        self.assertEqual([(each["key"], each["offset"], each.get("removed")) for each in changes["entries"]], [("a", 2, None), ("b", 3, True)])
        self.assertEqual(changes["entries"][1]["tags"], {"room": "a"}, "those of the key")
        self.assertEqual(self.error("map_read_stream", {"channel": channel, "since_offset": 9, "since_epoch": one["epoch"]}), 112)

    def test_conditions(self):
        channel = "map:" + self.channel()
        change = {"channel": channel, "key": "k", "data": 1}
        self.assertEqual(self.reason("map_publish", {**change, "key_mode": "if_exists"}), "key_not_found")
        first = self.result("map_publish", {**change, "key_mode": "if_new", "version": 3, "idempotency_key": "i"})
        self.assertEqual(self.reason("map_publish", {**change, "key_mode": "if_new"}), "key_exists")
        self.assertEqual(self.reason("map_publish", {**change, "version": 3}), "version")
        again = self.result("map_publish", {**change, "key_mode": "if_new", "version": 3, "idempotency_key": "i"})
        self.assertEqual(again, {**first, "suppressed": True, "suppress_reason": "idempotency"})
        self.assertEqual(self.error("map_publish", {**change, "data": 2, "idempotency_key": "i"}), 113)
        expected = {"expected_offset": first["offset"], "expected_epoch": first["epoch"]}
        self.assertNotIn("suppressed", self.result("map_publish", {**change, "data": 5, **expected}))
        self.assertEqual(self.reason("map_publish", {**change, "data": 6, **expected}), "position_mismatch")
        self.assertEqual(self.reason("map_remove", {"channel": channel, "key": "k", **expected}), "position_mismatch")
        self.assertEqual(self.state(channel), [("k", 5)])

    def test_pages_while_keys_come_and_go(self):
        channel = "map:" + self.channel()
        for i in range(50):
            self.result("map_publish", {"channel": channel, "key": f"k{i:02}", "data": i})
        first = self.result("map_read_state", {"channel": channel, "limit": 20})
        self.assertEqual(first["offset"], 50)
        self.result("map_remove", {"channel": channel, "key": "k19"})
        self.result("map_publish", {"channel": channel, "key": "k195", "data": "new"})
        second = self.result("map_read_state", {"channel": channel, "limit": 20, "cursor": first["cursor"], "revision_epoch": first["epoch"]})
        self.assertEqual([entry["key"] for entry in second["entries"][:2]], ["k195", "k20"])
        rest = self.result("map_read_state", {"channel": channel, "limit": -1, "cursor": second["cursor"]})
        self.assertEqual((len(rest["entries"]), "cursor" in rest), (11, False))
        self.assertEqual(self.error("map_read_state", {"channel": channel, "revision_epoch": "zzzzzzzz"}), 112)
        self.assertEqual(self.result("map_read_state", {"channel": channel, "limit": 0})["entries"], [])

    def test_an_ordered_map_has_a_limit_too(self):
        channel = "board:" + self.channel()
        for key, score in (("a", 1), ("b", 30), ("c", -5)):
            self.result("map_publish", {"channel": channel, "key": key, "data": score, "score": score})
        self.assertEqual([key for key, _ in self.state(channel)], ["b", "a", "c"])
        self.assertEqual([key for key, _ in self.state(channel, asc=True)], ["c", "a", "b"])
        self.assertEqual(self.state(channel, key="a"), [("a", 1)])
        answer = self.ask("map_publish", {"channel": channel, "key": "d", "data": 1})
        self.assertEqual((answer.status, answer.json["code"]), (409, "E_MAP_FULL"))
        answer = self.ask("map_read_state", {"channel": channel, "cursor": "no cursor"})
        self.assertEqual((answer.status, answer.json["code"]), (400, "E_PARAMETER"))

    def test_what_subscribers_get_may_differ_from_the_state(self):
        channel = "map:" + self.channel()
        self.result("map_publish", {"channel": channel, "key": "k", "data": {"count": 105}, "stream_data": {"more": 5}})
        self.assertEqual(self.state(channel), [("k", {"count": 105})])
        self.assertEqual(self.result("map_read_stream", {"channel": channel})["entries"][0]["data"], {"more": 5})

    def test_an_ephemeral_map_forgets_and_shows_no_offsets(self):
        channel = "cursors:" + self.channel()
        self.assertEqual(self.result("map_publish", {"channel": channel, "key": "k", "data": 1})["offset"], 0)
        self.assertEqual(self.error("map_publish", {"channel": channel, "key": "k", "data": 1, "version": 1}), 107)
        self.assertEqual(self.error("map_read_stream", {"channel": channel}), 108)
        self.server.until(lambda: self.state(channel) == [], "the key goes")

    def test_clear(self):
        channel = "map:" + self.channel()
        before = self.result("map_publish", {"channel": channel, "key": "k", "data": 1})
        self.assertEqual(self.result("map_clear", {"channel": channel}), {})
        self.assertEqual(self.state(channel), [])
        self.assertGreater(self.result("map_publish", {"channel": channel, "key": "k", "data": 1})["offset"], before["offset"] + 1)

    def test_channels_are_of_one_type(self):
        for name, body in (("map_publish", {"channel": "news", "key": "k", "data": 1}), ("map_remove", {"channel": "news", "key": "k"}),
                           ("map_read_state", {"channel": "news"}), ("map_read_stream", {"channel": "news"}), ("map_stats", {"channel": "news"}),
                           ("map_clear", {"channel": "news"}), ("publish", {"channel": "map:x", "data": 1}),
                           ("map_publish", {"channel": "who:x", "key": "k", "data": 1})):
            answer = self.ask(name, body)
            self.assertEqual((answer.status, answer.json["code"]), (400, "E_CHANNEL_TYPE"), name)


class MapsOfSubscribers(ApiTest):
    options = {"config": f"""
[server]
listen = ["127.0.0.1:PORT"]
workers = 4
[auth]
token_keys = ["{KEY}"]
[namespaces.game]
map_clients_presence_prefix = "clients:"
map_users_presence_prefix = "users:"
[namespaces.clients]
subscription_type = "map_clients"
[namespaces.users]
subscription_type = "map_users"
[namespaces.cursors]
subscription_type = "map"
map_remove_client_on_unsubscribe = true
"""}

    def keys(self, channel):
        return {entry["key"] for entry in self.result("map_read_state", {"channel": channel, "limit": -1})["entries"]}

    def connected(self, user):
        socket = Socket(self.server)
        self.addCleanup(socket.close)
        return socket, socket.ask(connect={"token": token({"sub": user, "exp": int(time.time()) + 600})})["client"]

    def test_who_is_subscribed_is_a_key(self):
        channel = "game:" + self.channel()
        (one, a), (two, b), (other, c) = self.connected("ann"), self.connected("ann"), self.connected("bob")
        for socket in (one, two, other):
            socket.ask(subscribe={"channel": channel})
        self.server.until(lambda: self.keys(f"clients:{channel}") == {a, b, c}, "all clients are there")
        self.server.until(lambda: self.keys(f"users:{channel}") == {"ann", "bob"}, "all users are there")
        entries = self.result("map_read_state", {"channel": f"clients:{channel}", "key": c})["entries"]
        self.assertEqual(entries[0]["info"], {"user": "bob", "client": c})
        one.ask(unsubscribe={"channel": channel})
        other.close()
        self.server.until(lambda: self.keys(f"clients:{channel}") == {b}, "two have left")
        self.server.until(lambda: self.keys(f"users:{channel}") == {"ann"}, "bob has left")
        two.close()
        self.server.until(lambda: not self.keys(f"clients:{channel}") and not self.keys(f"users:{channel}"), "all have left")
        stream = self.result("map_read_stream", {"channel": f"clients:{channel}", "limit": -1})["entries"]
        self.assertEqual(sorted(each["key"] for each in stream if each.get("removed")), sorted([a, b, c]), "each has left once")


class Lists(ApiTest):
    def test_channels(self):
        prefix = self.channel()
        for name in ("b", "a", "c:1", "c:2"):
            self.result("publish", {"channel": f"{prefix}-{name}", "data": 1})
        with self.server.ws(f"/ws/{prefix}-a?meta=1") as one, self.server.ws(f"/ws/{prefix}-a?meta=1") as two:
            one.recv_json(), two.recv_json()
            watched = self.result("channels", {"pattern": f"{prefix}-*"})
            self.assertEqual(watched, {"channels": {f"{prefix}-a": {"num_clients": 2}}}, "as the original: those that are watched")
            seen, cursor, pages = [], "", 0
            while pages == 0 or cursor:
                page = self.ask("channels", {"prefix": prefix, "limit": 3, "cursor": cursor}).json
                self.assertEqual([c["channel"] for c in page["channels"]], list(page["result"]["channels"]))
                seen += list(page["result"]["channels"].items())
                cursor, pages = page["result"].get("cursor", ""), pages + 1
            self.assertEqual(seen, [(f"{prefix}-a", {"num_clients": 2}), (f"{prefix}-b", {}), (f"{prefix}-c:1", {}), (f"{prefix}-c:2", {})])
            self.assertEqual(pages, 2)
            self.assertEqual(len(self.ask("channels", {"pattern": f"{prefix}-c:[12]"}).json["channels"]), 2)

    def test_info(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}?meta=1") as watcher:
            watcher.recv_json()
            node = self.result("info", {})["nodes"][0]
            self.assertGreaterEqual(node["num_clients"], 1)
            self.assertGreaterEqual(node["num_subs"], 1)
            self.assertGreater(node["process"]["rss"], 1_000_000)
            self.assertEqual(self.result("info", {})["nodes"][0]["uid"], node["uid"], "whichever worker answers")


class Connections(rig.ServerTest):
    """What back ends ask of connections, of every door; tokens say who is who."""

    options = {"dev": False, "config": f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = 3
[auth]
api_keys = ["{API_KEY}"]
token_keys = ["{KEY}"]
[channels]
subscribe = "user"
presence = true
"""}

    def api(self, name, body, status=200):
        with wire.Connection(self.server.admin_address) as connection:
            answer = connection.request("POST", f"/api/{name}", json.dumps(body), {"X-API-Key": API_KEY})
        self.assertEqual(answer.status, status, answer.body)
        validate(schema_of(SPEC["paths"][f"/{name}"]["post"], status), answer.json)
        return answer.json.get("result")

    def bearer(self, user, **more):
        return {"Authorization": f"Bearer {token(claims(subject=user, **more))}"}

    def raw(self, user, channel, **more):
        socket = self.server.ws(f"/ws/{channel}?meta=1", self.bearer(user, **more))
        self.assertIn("position", socket.recv_json())
        return socket

    def client(self, user, *channels, **more):
        """Of the Centrifuge door, connected and subscribed."""
        socket = self.server.ws("/connection/websocket")
        socket.send_text(json.dumps({"id": 1, "connect": {"token": token(claims(subject=user, channels=(), **more))}}))
        connected = socket.recv_json()["connect"]
        for i, channel in enumerate(channels):
            socket.send_text(json.dumps({"id": i + 2, "subscribe": {"channel": channel}}))
            self.assertIn("subscribe", socket.recv_json())
        return socket, connected["client"]

    def refused(self, user, **more):
        """A new connection of the user ends as it does for who is not wanted."""
        with self.server.ws("/connection/websocket") as socket:
            socket.send_text(json.dumps({"id": 1, "connect": {"token": token(claims(subject=user, channels=(), **more))}}))
            code = socket.expect_close()[0]
        self.assert_refused(403, "E_REVOKED", self.server.http("GET", "/poll/x", headers=self.bearer(user, **more)))
        return code

    def test_list(self):
        user = self.channel()
        first, first_id = self.client(user, "a", "b", jti="t1", iat=1_700_000_000)
        with first, self.raw(user, "c"), self.server.events("/sse/d", headers=self.bearer(user)), self.client("else", "a")[0]:
            listed = self.server.until(lambda: (answer := self.api("connections", {"user": user}))["total"] == 3 and answer, "three are there")
            self.assertEqual(sorted((c["transport"], c["protocol"], *c["state"]["channels"]) for c in listed["connections"].values()),
                             [("sse", "raw", "d"), ("websocket", "json", "a", "b"), ("websocket", "raw", "c")])
            self.assertEqual(listed["connections"][first_id]["state"]["connection_token"], {"uid": "t1", "issued_at": 1_700_000_000})
            seen, cursor = [], ""
            for _ in range(3):
                page = self.api("connections", {"user": user, "limit": 1, "cursor": cursor})
                seen += page["connections"]
                cursor = page.get("cursor", "")
            self.assertEqual((seen, cursor), (sorted(listed["connections"]), ""))
            self.assertGreaterEqual(self.api("connections", {})["total"], 4)
            self.assertGreaterEqual(self.api("info", {})["nodes"][0]["num_users"], 2)
        self.server.until(lambda: self.api("connections", {"user": user})["total"] == 0, "nobody is left")

    def test_subscribe_and_unsubscribe(self):
        user, channel = self.channel(), self.channel()
        one, one_id = self.client(user)
        two, _ = self.client(user)
        with one, two:
            body = {"user": user, "channel": channel, "data": {"hello": 1}, "info": {"role": "x"}, "client": one_id}
            self.assertEqual(self.api("subscribe", body), {})
            push = one.recv_json()["push"]
            self.assertEqual((push["channel"], push["subscribe"]["data"]), (channel, {"hello": 1}))
            present = self.server.until(lambda: self.api("presence", {"channel": channel})["presence"], "it is present")
            self.assertEqual(present[one_id], {"user": user, "client": one_id, "chan_info": {"role": "x"}})
            self.assertEqual(self.api("presence_stats", {"channel": channel}), {"num_clients": 1, "num_users": 1})
            self.api("subscribe", body)  # again: nothing happens
            self.api("publish", {"channel": channel, "data": 1})
            self.assertEqual(one.recv_json()["push"]["pub"]["data"], 1)
            self.api("subscribe", {"user": user, "channel": channel})
            self.assertIn("subscribe", two.recv_json()["push"])
            page = self.server.until(lambda: len(self.api("presence", {"channel": channel})["presence"]) == 2 and
                                     self.api("presence", {"channel": channel, "limit": 1}), "both are present")
            rest = self.api("presence", {"channel": channel, "limit": 1, "cursor": page["cursor"]})
            self.assertEqual(len(set(page["presence"]) | set(rest["presence"])), 2)
            self.assertNotIn("cursor", rest)
            self.api("unsubscribe", {"user": user, "channel": channel})
            for socket in (one, two):
                self.assertEqual(socket.recv_json()["push"], {"channel": channel, "unsubscribe": {"code": 2000, "reason": "server unsubscribe"}})
            self.api("unsubscribe", {"user": user, "channel": channel})
            self.server.until(lambda: not self.api("presence", {"channel": channel})["presence"], "nobody is present")

    def test_disconnect(self):
        user = self.channel()
        kept, kept_id = self.client(user)
        gone, _ = self.client(user)
        with kept, gone, self.raw(user, "x") as raw, self.raw("else", "x") as other:
            self.api("disconnect", {"user": user, "whitelist": [kept_id], "disconnect": {"code": 4500, "reason": "bye"}})
            self.assertEqual(gone.expect_close(), (4500, "bye"))
            self.assert_closed(4401, "E_REVOKED", raw)
            self.api("publish", {"channel": "x", "data": 1})
            self.assertEqual(other.recv_json()["data"], 1)
            self.api("disconnect", {"client": kept_id})
            self.assertEqual(kept.expect_close(), (3503, "force disconnect"))
        with self.client(user)[0]:
            pass  # it was not forbidden to come back

    def test_refresh(self):
        user = self.channel()
        socket, _ = self.client(user)
        expired, expired_id = self.client(user)
        with socket, expired:
            self.api("refresh", {"user": user, "client": expired_id, "expired": True})
            self.assertEqual(expired.expect_close()[0], 3005)
            self.api("refresh", {"user": user, "expire_at": 4_000_000_000})
            self.assertEqual(socket.recv_json()["push"]["refresh"], {}, "so far away is never")
            self.api("refresh", {"user": user, "expire_at": int(time.time()) + 100})
            push = socket.recv_json()["push"]["refresh"]
            self.assertTrue(push["expires"] and 95 <= push["ttl"] <= 101, push)

    def test_block(self):
        user = self.channel()
        socket, _ = self.client(user)
        with socket, self.raw(user, "x") as raw, self.server.events("/sse/x", headers=self.bearer(user)) as events, self.raw("else", "x") as other:
            started = time.monotonic()
            self.api("block_user", {"user": user})
            self.assertEqual(socket.expect_close(), (3503, "force disconnect"))
            self.assert_closed(4401, "E_REVOKED", raw)
            with self.assertRaises(EOFError):
                while True:
                    events.next()
            self.assertLess(time.monotonic() - started, 1)
            self.assertEqual(self.refused(user), 3503)
            self.api("publish", {"channel": "x", "data": 1})
            self.assertEqual(other.recv_json()["data"], 1)
        self.api("unblock_user", {"user": user})
        with self.client(user)[0], self.raw(user, "x"):
            pass
        self.api("block_user", {"user": user, "expire_at": int(time.time()) - 1})
        with self.client(user)[0]:
            pass  # the block is over

    def test_revoked_tokens(self):
        user, now = self.channel(), int(time.time())
        one, _ = self.client(user, jti=f"{user}1", iat=now - 100)
        two, _ = self.client(user, jti=f"{user}2", iat=now - 50)
        with one, two, self.raw(user, "x", jti=f"{user}1", iat=now - 100) as raw:
            self.api("revoke_token", {"uid": f"{user}1"})
            self.assertEqual(one.expect_close()[0], 3503)
            self.assert_closed(4401, "E_REVOKED", raw)
            self.assertEqual(self.refused(user, jti=f"{user}1", iat=now - 100), 3500)
            self.api("invalidate_user_tokens", {"user": user, "issued_before": now - 75})
            self.assertEqual(self.refused(user, iat=now - 80), 3500)
            self.assertEqual(self.api("connections", {"user": user})["total"], 1, "the one of a later token stays")
            self.api("invalidate_user_tokens", {"user": user})
            self.assertEqual(two.expect_close()[0], 3503)
            with self.client(user, iat=now + 2)[0]:
                pass

    def test_tickets_of_who_was_blocked_meanwhile(self):
        user = self.channel()
        ticket = self.server.http("POST", "/api/ticket", "", self.bearer(user)).json["ticket"]
        self.api("block_user", {"user": user})
        self.assert_refused(403, "E_REVOKED", self.server.http("GET", f"/poll/x?ticket={ticket}"))


class ErrorsByBody(rig.ServerTest):
    """What an imported configuration asks for."""

    options = {"dev": False, "config": f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[auth]
api_keys = ["{API_KEY}"]
strict_namespaces = true
[api]
error_mode = "body"
key_in_query = true
"""}

    def ask(self, name, body, headers=(), query=""):
        with wire.Connection(self.server.admin_address) as connection:
            return connection.request("POST", f"/api/{name}{query}", json.dumps(body), dict(headers))

    def test_keys(self):
        body = {"channel": "news", "data": 1}
        for headers, query, status in (({"X-API-Key": API_KEY}, "", 200), ({"Authorization": f"apikey {API_KEY}"}, "", 200),
                                       ({"Authorization": f"ApiKey {API_KEY}"}, "", 200), ({}, f"?api_key={API_KEY}", 200), ({}, "?api_key=wrong", 401),
                                       ({}, f"?api_key={API_KEY}&api_key={API_KEY}", 401), ({"Authorization": f"Bearer {API_KEY}"}, "", 401),
                                       ({"X-API-Key": "wrong"}, f"?api_key={API_KEY}", 401), ({}, "", 401)):
            with self.subTest((headers, query)):
                answer = self.ask("publish", body, headers, query)
                self.assertEqual(answer.status, status, answer.body)
                if status == 401:
                    self.assertEqual(answer.json["error"]["code"], 101)
        self.assertNotIn(API_KEY, self.server.log())

    def test_errors_are_200(self):
        key = {"X-API-Key": API_KEY}
        by_transport = {**key, "X-Centrifugo-Error-Mode": "transport"}
        for name, body, code, status in (("publish", {}, 107, 400), ("nothing", {}, 104, 404), ("publish", {"channel": "no:x", "data": 1}, 102, 404),
                                         ("shared_poll_publish", {}, 108, 400), ("history", {"channel": "a", "since": {"offset": 9}}, 112, 416)):
            with self.subTest(name):
                answer = self.ask(name, body, key)
                self.assertEqual((answer.status, answer.json["error"]["code"]), (200, code), answer.body)
                self.assertTrue(answer.json["code"].startswith("E_"))
                answer = self.ask(name, body, by_transport)
                self.assertEqual((answer.status, answer.json["error"]["code"]), (status, code))
        self.assertEqual(self.ask("publish", {"channel": "news", "data": 1}, key).status, 200)


class ErrorsByStatus(rig.ServerTest):
    options = {"dev": False, "config": f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[auth]
api_keys = ["{API_KEY}"]
token_keys = ["{KEY}"]
"""}

    def test_no_key_in_the_url_unless_configured(self):
        with wire.Connection(self.server.admin_address) as connection:
            self.assert_refused(401, "E_API_KEY", connection.request("GET", f"/api/info?api_key={API_KEY}"))

    def test_ticket(self):
        answer = self.server.http("POST", "/api/ticket", "", {"Authorization": f"Bearer {token(claims())}"})
        self.assertEqual(answer.status, 200, answer.body)
        validate(schema_of(SPEC["paths"]["/ticket"]["post"], 200), answer.json)


if __name__ == "__main__":
    rig.main()
