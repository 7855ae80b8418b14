"""One channel through every door: the same messages, with the same positions; and what each door adds (docs/protocol.md)."""
import base64
import datetime
import email.utils
import json
import threading
import time
import urllib.parse

import rig
from wire import BINARY, TEXT, Refused

PAYLOADS = [  # (content type, body, key of the envelope, value there)
    ("application/json", b'{"any": "json",\n "n": [1, 2.50, -0, 1e3]}', "data", {"any": "json", "n": [1, 2.5, 0, 1000]}),
    ("text/plain", "hello, 世界 \U0001F426".encode(), "text", "hello, 世界 \U0001F426"),
    ("application/octet-stream", bytes(range(256)), "base64", base64.b64encode(bytes(range(256))).decode()),
    ("application/problem+json; charset=utf-8", b'"a \\u0000 \\"string\\""', "data", 'a \0 "string"'),
    ("text/plain", b"line one\nline two\r\n\ttab", "text", "line one\nline two\r\n\ttab"),
    ("image/png", b"\x89PNG\xff", "base64", base64.b64encode(b"\x89PNG\xff").decode()),
    ("application/x-www-form-urlencoded", b"hello", "text", "hello"),  # what curl -d sends
    ("application/json", b"null", "data", None),
    ("text/plain", b'{"gap":{"from":1,"to":9}}', "text", '{"gap":{"from":1,"to":9}}'),
]


class DoorTest(rig.ServerTest):
    def publish_numbers(self, channel, count, first=1):
        """Publishes the JSON numbers first, first+1, ...; returns the answers."""
        with self.server.connect() as connection:
            answers = []
            for i in range(first, first + count):
                answer = connection.request("POST", f"/pub/{channel}", str(i), {"Content-Type": "application/json"})
                self.assertEqual(answer.status, 200, answer.body)
                answers.append(answer.json)
            return answers

    def envelope(self, target, count):
        """(positions by channel, the first `count` records that are messages)."""
        with self.server.ws(target) as socket:
            positions, records = {}, []
            while len(records) < count or not positions:
                record = socket.recv_json()
                if "position" in record:
                    positions[record["channel"]] = record["position"]
                    self.assertNotIn("gap", record)
                else:
                    self.assertIn("offset", record)
                    records.append(record)
            return positions, records

    def sse(self, target, count, last_event_id=None):
        with self.server.events(target, last_event_id) as events:
            records = []
            while len(records) < count:
                event = events.next()
                if event["data"] is not None:
                    self.assertEqual(event["event"], "message", event)
                    records.append(json.loads(event["data"]))
            return records

    def poll(self, channel, since, count):
        records, cursor = [], since
        with self.server.connect() as connection:
            while len(records) < count:
                answer = connection.request("GET", f"/poll/{channel}?since={cursor}")
                self.assertEqual(answer.status, 200, answer.body)
                cursor = answer.json["cursor"]
                records += answer.json["messages"]
        return records, cursor

    def history(self, **body):
        return self.server.http("POST", "/api/history", json.dumps(body), {"Content-Type": "application/json"})


class SameMessagesEverywhere(DoorTest):
    def test_every_kind_of_payload_on_every_door(self):
        channel = self.channel()
        answers = [self.server.publish(channel, body, kind) for kind, body, _, _ in PAYLOADS]
        count = len(PAYLOADS)
        _, by_ws = self.envelope(f"/ws/{channel}?meta=1&since=-100", count)
        for i, (record, answer, (_, _, key, value)) in enumerate(zip(by_ws, answers, PAYLOADS)):
            self.assertEqual(record[key], value)
            self.assertEqual(set(record), {"channel", "offset", "epoch", "time", key})
            self.assertEqual([record[name] for name in ("channel", "offset", "epoch", "time")],
                             [channel, i + 1, answer["epoch"], answer["time"]])
            self.assertEqual(answer, {"channel": channel, "epoch": answer["epoch"], "offset": i + 1, "time": answer["time"],
                                      "level": "accepted", "workers": 0})
        self.assertRegex(by_ws[0]["epoch"], "^[a-z0-9]{8}$")
        self.assertEqual(self.sse(f"/sse/{channel}?since=-100", count), by_ws)
        self.assertEqual(self.poll(channel, "-100", count)[0], by_ws)
        self.assertEqual(self.history(channel=channel).json["messages"], by_ws)

    def test_raw_carries_payloads_and_nothing_else(self):
        channel = self.channel()
        for kind, body, _, _ in PAYLOADS:
            self.server.publish(channel, body, kind)
        with self.server.ws(f"/ws/{channel}?since=-100") as socket:
            for _, body, key, value in PAYLOADS:
                frame = socket.recv_frame()
                self.assertEqual(frame.opcode, BINARY if key == "base64" else TEXT)
                if key == "data":
                    self.assertNotIn(b"\n", frame.payload)
                    self.assertEqual(json.loads(frame.payload), value)
                else:
                    self.assertEqual(frame.payload, body)

    def test_live_on_every_door(self):
        channel = self.channel()
        self.publish_numbers(channel, 5)
        envelope = self.server.ws(f"/ws/{channel}?meta=1")
        start = envelope.recv_json()
        self.assertEqual(set(start), {"channel", "position"})
        raw = self.server.ws(f"/ws/{channel}?since=-1")
        self.assertEqual(raw.recv(), "5")
        events = self.server.events(f"/sse/{channel}")
        self.assertEqual(events.next(), {"event": "message", "data": None, "id": start["position"]})
        first = self.server.http("GET", f"/poll/{channel}").json
        self.assertEqual(first, {"messages": [], "cursor": start["position"]})
        self.publish_numbers(channel, 50, first=6)
        seen = [envelope.recv_json() for _ in range(50)]
        self.assertEqual([record["offset"] for record in seen], list(range(6, 56)))
        self.assertEqual([record["data"] for record in seen], list(range(6, 56)))
        self.assertEqual([raw.recv() for _ in range(50)], [str(i) for i in range(6, 56)])
        by_sse = [events.next() for _ in range(50)]
        self.assertEqual([json.loads(event["data"]) for event in by_sse], seen)
        self.assertEqual([event["id"] for event in by_sse], [f"{r['epoch']}:{r['offset']}" for r in seen])
        self.assertEqual(self.poll(channel, first["cursor"], 50)[0], seen)

    def test_one_payload_cannot_imitate_a_control_record(self):
        channel = self.channel()
        trick = {"channel": channel, "position": "aaaaaaaa:99", "gap": {"from": 1, "to": 2, "reason": "expired"}}
        self.server.publish(channel, json.dumps(trick), "application/json")
        _, records = self.envelope(f"/ws/{channel}?meta=1&since=-1", 1)
        self.assertEqual(records[0]["data"], trick)
        self.assertNotIn("gap", records[0])


class Since(DoorTest):
    def each_door(self, channel, since, expected):
        """The numbers that every door replays for this since."""
        count = len(expected)
        quoted = urllib.parse.quote(since)
        self.assertEqual([r["data"] for r in self.envelope(f"/ws/{channel}?meta=1&since={quoted}", count)[1]], expected)
        self.assertEqual([r["data"] for r in self.sse(f"/sse/{channel}?since={quoted}", count)], expected)
        if expected:
            self.assertEqual([r["data"] for r in self.poll(channel, quoted, count)[0]], expected)
            with self.server.ws(f"/ws/{channel}?since={quoted}") as socket:
                self.assertEqual([int(socket.recv()) for _ in expected], expected)
        self.assertEqual([r["data"] for r in self.history(channel=channel, since=since).json["messages"]], expected)

    def test_last_n(self):
        channel = self.channel()
        self.publish_numbers(channel, 30)
        for n in (1, 2, 29, 30):
            self.each_door(channel, f"-{n}", list(range(31 - n, 31)))
        self.each_door(channel, "-1000", list(range(1, 31)))

    def test_cursor(self):
        channel = self.channel()
        answers = self.publish_numbers(channel, 30)
        for stop in (1, 17, 29):
            self.each_door(channel, f"{answers[0]['epoch']}:{stop}", list(range(stop + 1, 31)))
        self.each_door(channel, f"{answers[0]['epoch']}:0", list(range(1, 31)))

    def test_time(self):
        channel = self.channel()
        answers = self.publish_numbers(channel, 20)
        times = [answer["time"] for answer in answers]
        for at in sorted(set(times)):
            expected = [i + 1 for i, time in enumerate(times) if time >= at]
            self.each_door(channel, str(at), expected)
            moment = datetime.datetime.fromtimestamp(at / 1000, datetime.timezone.utc)
            text = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at % 1000:03d}Z"
            self.each_door(channel, text, expected)
        self.each_door(channel, "1", list(range(1, 21)))

    def test_the_position_of_a_start_is_the_one_before_its_first_message(self):
        channel = self.channel()
        epoch = self.publish_numbers(channel, 10)[0]["epoch"]
        for since, offset in (("-3", 7), (f"{epoch}:4", 4), ("-100", 0)):
            positions, _ = self.envelope(f"/ws/{channel}?meta=1&since={since}", 1)
            self.assertEqual(positions, {channel: f"{epoch}:{offset}"}, since)

    def test_bad_values(self):
        channel = self.channel()
        for since in ("x", "-", "-1.5", "abc:1", "k3j9x0ab:", "k3j9x0ab:01", "k3j9x0ab:-1", "K3J9X0AB:1", "k3j9x0ab:1,k3j9x0ab:2",
                      "k3j9x0ab:18446744073709551616", "2025-13-01T00:00:00Z", "2025-01-01", "-99999999999999999999"):
            for target in (f"/ws/{channel}?since={since}", f"/sse/{channel}?since={since}", f"/poll/{channel}?timeout=1&since={since}"):
                with self.subTest((since, target)):
                    if target.startswith("/ws"):
                        with self.assertRaises(Refused) as caught:
                            self.server.ws(target)
                        answer = caught.exception.response
                    else:
                        answer = self.server.http("GET", target)
                    self.assertEqual(answer.status, 400, since)
                    self.assertIn(answer.code, ("E_CURSOR", "E_PARAMETER"))

    def test_a_position_of_another_epoch_is_a_gap(self):
        channel = self.channel()
        self.publish_numbers(channel, 3)
        gap = {"from": 1, "to": 3, "reason": "epoch_changed"}
        self.gap_on_each_door(channel, "aaaaaaaa:2", gap)

    def test_a_position_in_the_future_is_a_gap(self):
        channel = self.channel()
        epoch = self.publish_numbers(channel, 3)[0]["epoch"]
        self.gap_on_each_door(channel, f"{epoch}:99", None, "too_far")

    def gap_on_each_door(self, channel, since, gap, reason=None):
        head = self.history(channel=channel).json["head"]
        with self.server.ws(f"/ws/{channel}?meta=1&since={since}") as socket:
            records = [socket.recv_json()]
            while "gap" not in records[-1]:
                self.assertIn("position", records[-1])
                records.append(socket.recv_json())
            by_ws = records[-1]
            if gap:
                self.assertEqual(by_ws["gap"], gap)
            self.assertEqual(by_ws["gap"]["reason"], reason or gap["reason"])
            self.assertTrue(by_ws["position"].endswith(f":{head}"), by_ws)
            self.server.publish(channel, "4", "application/json")
            record = socket.recv_json()
            if "position" in record:  # the start comes after the gap, at the same place
                self.assertEqual(record["position"], by_ws["position"])
                record = socket.recv_json()
            self.assertEqual(record["offset"], head + 1)
        self.assert_closed(4410, "E_GAP", self.server.ws(f"/ws/{channel}?since={since}"))
        with self.server.events(f"/sse/{channel}?since={since}") as events:
            event = events.next()
            while event["event"] != "gap":
                self.assertIsNone(event["data"])
                event = events.next()
            self.assertEqual(json.loads(event["data"])["gap"]["reason"], by_ws["gap"]["reason"])
            self.assertTrue(event["id"].endswith(f":{head + 1}"))
        answer = self.server.http("GET", f"/poll/{channel}?since={since}").json
        self.assertEqual(answer["messages"][0]["gap"]["reason"], by_ws["gap"]["reason"])
        self.assertTrue(answer["cursor"].endswith(f":{head + 1}"))
        self.assertIn("gap", self.history(channel=channel, since=since).json)


class SeveralChannels(DoorTest):
    def setUp(self):
        self.names = [self.channel() for _ in range(3)]
        self.epochs = [self.publish_numbers(name, 5)[0]["epoch"] for name in self.names]
        self.query = "&".join(f"channel={name}" for name in self.names)

    def test_a_cursor_has_one_position_per_channel_in_their_order(self):
        cursor = f"{self.epochs[0]}:4,,{self.epochs[2]}:3"
        with self.server.ws(f"/ws?{self.query}&since={cursor}") as socket:
            records = [socket.recv_json() for _ in range(6)]
        starts = {r["channel"]: r["position"] for r in records if "position" in r}
        self.assertEqual(starts, dict(zip(self.names, [f"{self.epochs[0]}:4", f"{self.epochs[1]}:5", f"{self.epochs[2]}:3"])))
        self.assertEqual(sorted((r["channel"], r["offset"]) for r in records if "offset" in r),
                         sorted([(self.names[0], 5), (self.names[2], 4), (self.names[2], 5)]))

    def test_event_ids_resume_all_channels(self):
        with self.server.events(f"/sse?{self.query}&since=-2") as events:
            seen, event = [], None
            while len(seen) < 4 or event["id"] is None:  # the cursor is known once all channels have started
                event = events.next()
                if event["data"] is not None:
                    seen.append(json.loads(event["data"]))
        self.assertEqual(event["id"].count(","), 2)
        with self.server.events(f"/sse?{self.query}&since=-1000", event["id"]) as events:  # Last-Event-ID wins over since
            while len(seen) < 6:
                event = events.next()
                if event["data"] is not None:
                    seen.append(json.loads(event["data"]))
        self.assertEqual(sorted((r["channel"], r["offset"]) for r in seen), sorted((n, o) for n in self.names for o in (4, 5)))
        self.assertEqual(event["id"], ",".join(f"{epoch}:5" for epoch in self.epochs))

    def test_poll_over_several_channels(self):
        answer = self.server.http("GET", f"/poll?{self.query}").json
        self.assertEqual(answer["cursor"], ",".join(f"{epoch}:5" for epoch in self.epochs))
        self.server.publish(self.names[1], "6", "application/json")
        got = self.server.http("GET", f"/poll?{self.query}&since={answer['cursor']}").json
        self.assertEqual([(r["channel"], r["data"]) for r in got["messages"]], [(self.names[1], 6)])
        self.assertEqual(got["cursor"], f"{self.epochs[0]}:5,{self.epochs[1]}:6,{self.epochs[2]}:5")

    def test_wrong_number_of_positions(self):
        for since in (f"{self.epochs[0]}:1", ",", ",,,"):
            self.assert_refused(400, "E_CURSOR", self.server.http("GET", f"/sse?{self.query}&since={since}"))
            self.assert_refused(400, "E_CURSOR", self.server.http("GET", f"/poll?{self.query}&since={since}"))

    def test_at_most_32_channels_by_sse(self):
        query = "&".join(f"channel=c{i}" for i in range(33))
        self.assert_refused(400, "E_TOO_MANY_CHANNELS", self.server.http("GET", f"/sse?{query}"))
        with self.server.events("/sse?" + "&".join(f"channel=c{i}" for i in range(32))) as events:
            self.assertEqual(events.next()["id"].count(","), 31)

    def test_raw_with_several_channels_is_refused(self):
        with self.assertRaises(Refused) as caught:
            self.server.ws(f"/ws?{self.query}&meta=0")
        self.assert_refused(400, "E_PARAMETER", caught.exception.response)

    def test_publishing_with_several_channels_is_refused(self):
        with self.server.ws(f"/ws?{self.query}") as socket:
            for _ in self.names:
                socket.recv()
            socket.send_text("to whom?")
            self.assertEqual(socket.recv_json()["error"]["code"], "E_PARAMETER")

    def test_no_channel_at_all(self):
        for target in ("/sse", "/poll", "/sse?channel=", "/poll/"):
            with self.subTest(target):
                answer = self.server.http("GET", target)
                self.assertIn((answer.status, answer.code), ((400, "E_PARAMETER"), (400, "E_CHANNEL"), (404, "E_NOT_FOUND")))


class WebSocketPublishing(DoorTest):
    def test_what_a_client_sends_reaches_everybody_and_itself(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}?meta=1") as watcher, self.server.ws(f"/ws/{channel}") as sender:
            watcher.recv_json()
            sender.send_text("a text")
            sender.send_binary(b"\0\1\2")
            self.assertEqual([sender.recv(), sender.recv()], ["a text", b"\0\1\2"])
            self.assertEqual(watcher.recv_json()["text"], "a text")
            self.assertEqual(watcher.recv_json()["base64"], "AAEC")

    def test_kind_json(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}?kind=json&meta=1") as socket:
            socket.recv_json()
            socket.send_text('{"a": [1, 2]}')
            self.assertEqual(socket.recv_json()["data"], {"a": [1, 2]})
            socket.send_text("{not json")
            record = socket.recv_json()
            self.assertEqual((record["channel"], record["error"]["code"]), (channel, "E_JSON"))
            socket.send_text('"goes on"')
            self.assertEqual(socket.recv_json()["data"], "goes on")
        with self.server.ws(f"/ws/{channel}?kind=json") as socket:
            socket.send_text("{not json")
            self.assert_closed(1007, "E_JSON", socket)

    def test_publish_0(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}?publish=0&meta=1") as socket:
            socket.recv_json()
            socket.send_text("no")
            self.assertEqual(socket.recv_json()["error"]["code"], "E_FORBIDDEN")
        with self.server.ws(f"/ws/{channel}?publish=0") as socket:
            socket.send_text("no")
            self.assert_closed(4403, "E_FORBIDDEN", socket)
        self.assertEqual(self.history(channel=channel).json["messages"], [])

    def test_a_thousand_messages_keep_their_order(self):
        channel = self.channel()
        with self.server.ws(f"/ws/{channel}") as socket:
            for i in range(1000):
                socket.send_text(str(i))
            self.assertEqual([int(socket.recv()) for _ in range(1000)], list(range(1000)))

    def test_bad_parameters(self):
        channel = self.channel()
        for query in ("meta=2", "meta=", "kind=xml", "publish=2", "channel=", "since="):
            with self.subTest(query):
                try:
                    self.server.ws(f"/ws/{channel}?{query}").close()
                except Refused as refused:
                    self.assertEqual(refused.response.status, 400)
                else:
                    self.assertEqual(query, "since=")  # an empty element means "from now"


class ServerSentEvents(DoorTest):
    def test_headers(self):
        with self.server.events(f"/sse/{self.channel()}") as events:
            head = events.response
            self.assertEqual(head.header("Content-Type").split(";")[0], "text/event-stream")
            self.assertRegex(head.header("Cache-Control"), "no-cache|no-store")
            self.assertEqual(head.header("X-Accel-Buffering"), "no")
            events.next()
            self.assertGreater(events.parser.retry, 0)

    def test_payloads_without_envelope(self):
        channel = self.channel()
        for kind, body, _, _ in PAYLOADS:
            self.server.publish(channel, body, kind)
        with self.server.events(f"/sse/{channel}?meta=0&since=-100") as events:
            for _, body, key, value in PAYLOADS:
                event = events.next()
                while event["data"] is None:
                    event = events.next()
                if key == "data":
                    self.assertEqual((event["event"], json.loads(event["data"])), ("message", value))
                elif key == "text" and b"\r" not in body:
                    self.assertEqual((event["event"], event["data"]), ("message", value))
                else:
                    self.assertEqual((event["event"], base64.b64decode(event["data"])), ("base64", body))

    def test_http_1_0_clients(self):
        channel = self.channel()
        self.server.publish(channel, "old")
        with self.server.connect() as connection:
            connection.send(f"GET /sse/{channel}?meta=0&since=-1 HTTP/1.0\r\n\r\n".encode())
            status, headers = connection.read_head()
            self.assertEqual(status, 200)
            self.assertNotIn("transfer-encoding", [name.lower() for name, _ in headers])
            while connection.read_line() != b"data: old\n":
                pass

    def test_bad_last_event_id(self):
        answer = self.server.http("GET", f"/sse/{self.channel()}", headers={"Last-Event-ID": "nonsense"})
        self.assert_refused(400, "E_CURSOR", answer)


class Refusals(DoorTest):
    """The message says which parameter it is and what it takes; `E_PARAMETER` alone helps nobody."""

    def says(self, text, answer, code="E_PARAMETER"):
        self.assert_refused(400, code, answer)
        self.assertIn(text, answer.json["message"])

    def test_parameters(self):
        for target, text in (
                ("/poll/x?timeout=61", "timeout: 1 to 60"), ("/poll/x?limit=0", "limit: 1 to 1000"), ("/poll/x?meta=0", "meta: "),
                ("/poll/x?meta=2", "meta: 0 or 1"), ("/poll?channel=a&channel=a", "channel: one is named twice"), ("/poll", "channel: name one"),
                ("/poll/x?channel=x", "not both"), ("/poll/x?since=-1&since=-2", "since: given twice"), ("/ws/x?publish=2", "publish: 0 or 1"),
                ("/ws/x?kind=xml", "kind: json or text"), ("/ws?channel=a&channel=b&meta=0", "meta=0 takes one channel"),
                ("/sse?channel=a&channel=b&meta=0", "meta=0 takes one channel"), ("/api/history?channel=x&limit=1001", "limit: 1 to 1000"),
                ("/api/history", "channel: "), ("/api/channels?prefix=a&prefix=b", "prefix: "), ("/poll/x?ticket=a&token=b", "")):
            with self.subTest(target):
                answer = self.server.http("GET", target)
                if text:
                    self.says(text, answer)
        for target in ("/poll/x?since=x", "/sse/x?since=abcdefgh:x"):
            self.says("since: a position (epoch:offset), -N or a time", self.server.http("GET", target), "E_CURSOR")
        self.says("since: as many positions as channels", self.server.http("GET", "/poll/x?since=abcdefgh:1,abcdefgh:2"), "E_CURSOR")

    def test_fields(self):
        for name, body, text in (
                ("publish", {"channel": "x", "txt": "a"}, "fields: channel, one of data, text and base64, tags, idempotency_key"),
                ("publish", {"channel": "x", "text": "a", "tags": {"k": 1}}, "tags: an object of at most 16 strings"),
                ("publish", {"channel": "x", "text": "a", "data": 1}, "one of data, text and base64"), ("publish", [], "a JSON object"),
                ("publish", {"channel": "x", "text": 1}, "text: a JSON string"), ("publish", {"channel": "x", "base64": "*"}, "base64: "),
                ("publish", {"channel": 1, "text": "a"}, "channel: a JSON string"),
                ("publish", {"channel": "x", "text": "a", "idempotency_key": "a b"}, "idempotency_key: "),
                ("history", {"channel": "x", "since": True}, "since: "), ("history", {"channel": "x", "limit": "5"}, "limit: 1 to 10000"),
                ("channels", {"prefix": 1}, "prefix: "), ("channels", {"x": 1}, "fields: prefix, limit")):
            with self.subTest(body):
                self.says(text, self.server.http("POST", f"/api/{name}", json.dumps(body), {"Content-Type": "application/json"}))

    def test_channel_names(self):
        for quoted, text in (("", "empty"), ("x" * 256, "longer"), ("%ff", "not UTF-8"), ("%00", "control character"), ("a/..", "segment"), ("%4", "hex")):
            self.says(text, self.server.http("POST", f"/pub/{quoted}", "x"), "E_CHANNEL")


class LongPolling(DoorTest):
    def test_waits_for_the_next_message(self):
        channel = self.channel()
        cursor = self.server.http("GET", f"/poll/{channel}").json["cursor"]
        with self.server.connect() as connection:
            connection.send(f"GET /poll/{channel}?since={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self.server.publish(channel, "now", "text/plain")
            answer = connection.read_response().json
        self.assertEqual([r["text"] for r in answer["messages"]], ["now"])

    def test_an_empty_answer_after_the_timeout(self):
        channel = self.channel()
        cursor = self.server.http("GET", f"/poll/{channel}").json["cursor"]
        answer = self.server.http("GET", f"/poll/{channel}?since={cursor}&timeout=1")
        self.assertEqual(answer.json, {"messages": [], "cursor": cursor})
        self.assertEqual(answer.header("Cache-Control"), "no-store")

    def test_limit(self):
        channel = self.channel()
        self.publish_numbers(channel, 600)
        answer = self.server.http("GET", f"/poll/{channel}?since=-600").json
        self.assertEqual(len(answer["messages"]), 256)
        answer = self.server.http("GET", f"/poll/{channel}?since=-600&limit=10").json
        self.assertEqual([r["offset"] for r in answer["messages"]], list(range(1, 11)))
        self.assertTrue(answer["cursor"].endswith(":10"))
        records, cursor = self.poll(channel, "-600", 600)
        self.assertEqual([r["offset"] for r in records], list(range(1, 601)))

    def test_bad_parameters(self):
        for query in ("timeout=0", "timeout=61", "timeout=x", "limit=0", "limit=1001", "limit=-1", "limit="):
            with self.subTest(query):
                self.assert_refused(400, "E_PARAMETER", self.server.http("GET", f"/poll/{self.channel()}?{query}"))

    def test_many_polls_on_one_connection(self):
        channel = self.channel()
        with self.server.connect() as connection:
            cursor = connection.request("GET", f"/poll/{channel}").json["cursor"]
            for i in range(200):
                self.assertEqual(connection.request("POST", f"/pub/{channel}", str(i)).status, 200)
                answer = connection.request("GET", f"/poll/{channel}?since={cursor}").json
                self.assertEqual([r["text"] for r in answer["messages"]], [str(i)])
                cursor = answer["cursor"]


class Publishing(DoorTest):
    def post(self, channel, body, kind="text/plain", **headers):
        return self.server.http("POST", f"/pub/{channel}", body, {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def test_bad_json(self):
        for body in (b"{", b"", b"nul", b"{}x", b'{"a":1,}', b"[1,]", b"'a'", b"\xff", b'"\xed\xa0\x80"', b"01", b'"\x01"', b"\xef\xbb\xbf1"):
            with self.subTest(body):
                self.assert_refused(400, "E_JSON", self.post(self.channel(), body, "application/json"))

    def test_json_depth_of_the_api(self):
        for depth, status in ((32, 200), (33, 400)):
            body = f'{{"channel":"{self.channel()}","data":{"[" * depth}{"]" * depth}}}'
            self.assertEqual(self.server.http("POST", "/api/publish", body, {"Content-Type": "application/json"}).status, status)

    def test_json_depth(self):
        self.assertEqual(self.post(self.channel(), b"[" * 32 + b"]" * 32, "application/json").status, 200)
        for depth in (33, 1000, 100_000):
            self.assert_refused(400, "E_JSON_DEPTH", self.post(self.channel(), b"[" * depth + b"]" * depth, "application/json"))

    def test_an_empty_body(self):
        channel = self.channel()
        self.assertEqual(self.post(channel, b"").status, 200)
        self.assertEqual(self.history(channel=channel).json["messages"][0]["text"], "")

    def test_a_chunked_body(self):
        channel = self.channel()
        with self.server.connect() as connection:
            connection.send(f"POST /pub/{channel} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode() +
                            b"5\r\nhello\r\n7;name=value\r\n, world\r\n0\r\nTrailer: x\r\n\r\n")
            self.assertEqual(connection.read_response().status, 200)
        self.assertEqual(self.history(channel=channel).json["messages"][0]["text"], "hello, world")

    def test_expect_100_continue(self):
        channel = self.channel()
        with self.server.connect() as connection:
            connection.send(f"POST /pub/{channel} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n".encode())
            self.assertEqual(connection.read_response().status, 100)
            connection.send(b"ok")
            self.assertEqual(connection.read_response().status, 200)

    def test_the_limit_of_a_body(self):
        self.assertEqual(self.post(self.channel(), b"x" * (1 << 20)).status, 200)
        with self.server.connect() as connection:
            connection.send(f"POST /pub/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: {(1 << 20) + 1}\r\n\r\n".encode())
            self.assert_refused(413, "E_MESSAGE_TOO_BIG", connection.read_response())
            self.assertTrue(connection.at_end())

    def test_idempotency_key(self):
        channel = self.channel()
        first = self.post(channel, "once", Idempotency_Key="key-1")
        again = self.post(channel, "once", Idempotency_Key="key-1")
        self.assertEqual(first.status, 200)
        self.assertEqual(again.json, first.json)
        self.assert_refused(409, "E_IDEMPOTENCY", self.post(channel, "other", Idempotency_Key="key-1"))
        self.assert_refused(409, "E_IDEMPOTENCY", self.post(channel, "once", "application/octet-stream", Idempotency_Key="key-1"))
        self.assertEqual(self.post(channel, "once", Idempotency_Key="key-2").json["offset"], 2)
        self.assertEqual([r["text"] for r in self.history(channel=channel).json["messages"]], ["once", "once"])

    def test_one_key_from_many_clients_at_once(self):
        channel = self.channel()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.post(channel, "once", Idempotency_Key="same").json))
                   for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([answer for answer in answers if answer != answers[0]], [])
        self.assertEqual(len(self.history(channel=channel).json["messages"]), 1)

    def test_bad_idempotency_keys(self):
        for key in ("", "a b", "x" * 256, "ключ".encode().decode("latin-1")):
            with self.subTest(key):
                with self.server.connect() as connection:
                    connection.send(b"POST /pub/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nIdempotency-Key: " +
                                    key.encode("latin-1") + b"\r\n\r\nx")
                    self.assertEqual(connection.read_response().status, 400)
        self.assertEqual(self.post(self.channel(), "x", Idempotency_Key="x" * 255).status, 200)

    def test_names(self):
        for name in ("a", "x" * 255, "news/sport/football", "ключ", "a b", "100%", "a+b", "a?b#c", "日本", "a..b", "*", "$x", "ns:name"):
            with self.subTest(name):
                quoted = urllib.parse.quote(name)
                self.assertEqual(self.server.publish(quoted, name)["channel"], name)
                _, records = self.envelope(f"/ws/{quoted}?meta=1&since=-1", 1)
                self.assertEqual((records[0]["channel"], records[0]["text"]), (name, name))
                _, records = self.envelope(f"/ws?meta=1&since=-1&channel={urllib.parse.quote(name, safe='')}", 1)
                self.assertEqual(records[0]["channel"], name)

    def test_a_channel_as_raw_utf8_in_the_path(self):
        """What curl sends when a person types it so."""
        with self.server.connect() as connection:
            connection.send("POST /pub/погода HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx".encode())
            self.assertEqual(connection.read_response().json["channel"], "погода")

    def test_bad_names(self):
        for quoted in ("x" * 256, "%", "%zz", "%4", "a%00b", "a%0Ab", "%ff", "%ed%a0%80", "a%7fb", "", ".", "a/./b", "%2e", "a/../b", "..", "a%2F..%2Fb"):
            with self.subTest(quoted):
                answer = self.post(quoted, "x")
                self.assertEqual((answer.status, answer.code), (400, "E_CHANNEL"), quoted)
                self.assertGreater(len(answer.json["message"].split(". ")), 1, "what is wrong with it")

    def test_dot_segments_are_no_channel_wherever_a_name_comes_from(self):
        for name in (".", "..", "../x", "a/..", "a/./b"):
            quoted = urllib.parse.quote(name, safe="")
            api = {"Content-Type": "application/json"}
            with self.subTest(name):
                answers = [self.server.http("GET", f"/{door}?channel={quoted}") for door in ("poll", "sse", "api/history")]
                answers += [self.server.http("GET", f"/{door}/{quoted}") for door in ("poll", "sse", "ws")]
                answers += [self.server.http("POST", "/api/publish", json.dumps({"channel": name, "text": "x"}), api),
                            self.server.http("POST", "/api/history", json.dumps({"channel": name}), api)]
                for answer in answers:
                    self.assert_refused(400, "E_CHANNEL", answer)

    def test_encoded_bodies_are_refused(self):
        self.assert_refused(415, "E_ENCODING", self.post(self.channel(), "x", Content_Encoding="gzip"))
        self.assert_refused(415, "E_ENCODING", self.server.http("POST", "/api/publish", "x", {"Content-Encoding": "identity, br"}))
        self.assertEqual(self.post(self.channel(), "x", Content_Encoding="Identity").status, 200)

    def test_answers_have_a_date(self):
        for method, target in (("GET", "/health"), ("POST", f"/pub/{self.channel()}"), ("GET", "/nowhere"), ("HEAD", "/sse/x"), ("PUT", "/pub/x")):
            with self.subTest(target):
                date = self.server.http(method, target, "" if method == "POST" else None).header("Date")
                self.assertLess(abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time()), 60)
                self.assertTrue(date.endswith(" GMT"))

    def test_methods(self):
        for method, target in (("GET", "/pub/x"), ("PUT", "/pub/x"), ("POST", "/sse/x"), ("DELETE", "/poll/x"), ("PATCH", "/health"), ("POST", "/ws/x"), ("DELETE", "/ws/x"),
                               ("POST", "/echo"), ("DELETE", "/echo")):
            with self.subTest((method, target)):
                answer = self.server.http(method, target)
                self.assert_refused(405, "E_METHOD", answer)
                allowed = "POST" if "/pub" in target else "GET" if target in ("/ws/x", "/echo") else "GET, HEAD"
                self.assertEqual(answer.header("Allow"), allowed)


class Api(DoorTest):
    def call(self, name, body):
        return self.server.http("POST", f"/api/{name}", json.dumps(body), {"Content-Type": "application/json"})

    def test_publish(self):
        channel = self.channel()
        for i, body in enumerate(({"data": {"a": [1]}}, {"text": "t"}, {"base64": "AAEC"})):
            answer = self.call("publish", {"channel": channel, **body})
            self.assertEqual((answer.status, answer.json["offset"], answer.json["level"]), (200, i + 1, "accepted"), answer.body)
        records = self.history(channel=channel).json["messages"]
        self.assertEqual([r.get("data", r.get("text", r.get("base64"))) for r in records], [{"a": [1]}, "t", "AAEC"])

    def test_publish_with_tags(self):
        channel = self.channel()
        largest = {f"{i:x}".ljust(255, "k"): "\u00e9" * 512 for i in range(16)}
        published = [({"text": "none"}, None), ({"data": [1], "tags": {"side": "buy", "a": "1"}}, {"a": "1", "side": "buy"}), ({"text": "x", "tags": {}}, None),
                     ({"base64": "AAEC", "tags": {"\u65b0": '"\\\n'}}, {"\u65b0": '"\\\n'}), ({"text": "", "tags": largest}, largest)]
        for body, _ in published:
            self.assertEqual(self.call("publish", {"channel": channel, **body}).status, 200)
        with self.server.ws(f"/ws/{channel}?since=-10") as raw:
            self.assertEqual([raw.recv() for _ in published], ["none", "[1]", "x", b"\0\1\2", ""])
        expected = [tags for _, tags in published]
        count = len(published)
        for records in (self.envelope(f"/ws/{channel}?meta=1&since=-10", count)[1], self.sse(f"/sse/{channel}?meta=1&since=-10", count),
                        self.poll(channel, "-10", count)[0], self.history(channel=channel).json["messages"]):
            self.assertEqual([record.get("tags") for record in records], expected)
            self.assertEqual(list(records[1]), ["channel", "offset", "epoch", "time", "data", "tags"])
            self.assertEqual(list(records[1]["tags"]), ["a", "side"])

    def test_tags_belong_to_what_an_idempotency_key_names(self):
        body = {"channel": self.channel(), "text": "once", "idempotency_key": "k", "tags": {"a": "1", "b": "2"}}
        first = self.call("publish", body).json
        self.assertEqual(self.call("publish", {**body, "tags": {"b": "2", "a": "1"}}).json, first)
        for tags in ({}, {"a": "1"}, {"a": "1", "b": "3"}):
            self.assert_refused(409, "E_IDEMPOTENCY", self.call("publish", {**body, "tags": tags}))

    def test_bad_tags(self):
        for tags in (None, [], "a", 1, {"k": 1}, {"k": None}, {"": "v"}, {"k" * 256: "v"}, {"k": "v" * 1025}, {str(i): "" for i in range(17)}):
            with self.subTest(tags):
                self.assert_refused(400, "E_PARAMETER", self.call("publish", {"channel": self.channel(), "text": "x", "tags": tags}))
        doubled = b'{"channel":"x","text":"x","tags":{"k":"v","\\u006b":"v"}}'
        self.assert_refused(400, "E_PARAMETER", self.server.http("POST", "/api/publish", doubled, {"Content-Type": "application/json"}))

    def test_publish_with_an_idempotency_key(self):
        body = {"channel": self.channel(), "text": "once", "idempotency_key": "k"}
        first = self.call("publish", body).json
        self.assertEqual(first["workers"], 0)
        with self.server.ws(f"/ws/{body['channel']}?meta=1") as socket:
            self.assertIn("position", socket.recv_json())
            self.assertEqual(self.call("publish", body).json, first)
            self.assertEqual(self.call("publish", {"channel": body["channel"], "text": "next"}).json["workers"], 1)
        self.assert_refused(409, "E_IDEMPOTENCY", self.call("publish", {**body, "text": "other"}))

    def test_publish_needs_a_channel_and_one_payload(self):
        for body in ({}, {"channel": "x"}, {"text": "x"}, {"channel": "x", "text": "a", "data": 1}, {"channel": "x", "text": 1},
                     {"channel": "x", "base64": "*"}, {"channel": 1, "text": "a"}, [], "x", {"channel": "", "text": "x"}):
            with self.subTest(body):
                answer = self.call("publish", body)
                self.assertEqual(answer.status, 400)
                self.assertIn(answer.code, ("E_PARAMETER", "E_CHANNEL"))
        self.assert_refused(400, "E_JSON", self.server.http("POST", "/api/publish", "{", {"Content-Type": "application/json"}))

    def test_history(self):
        channel = self.channel()
        epoch = self.publish_numbers(channel, 150)[0]["epoch"]
        answer = self.call("history", {"channel": channel}).json
        self.assertEqual((answer["channel"], answer["epoch"], answer["head"], answer["first"]), (channel, epoch, 150, 1))
        self.assertEqual(len(answer["messages"]), 100)
        answer = self.call("history", {"channel": channel, "since": f"{epoch}:10", "limit": 5}).json
        self.assertEqual([r["offset"] for r in answer["messages"]], [11, 12, 13, 14, 15])
        by_get = self.server.http("GET", f"/api/history?channel={channel}&since={epoch}:10&limit=5").json
        self.assertEqual(by_get, answer)

    def test_channels(self):
        prefix = self.channel()
        for i in range(3):
            self.publish_numbers(f"{prefix}-{i}", i + 1)
        with self.server.ws(f"/ws/{prefix}-1?meta=1") as one, self.server.ws(f"/ws/{prefix}-1?meta=1") as two, \
                self.server.events(f"/sse/{prefix}-1") as three:
            one.recv_json(), two.recv_json(), three.next()
            listed = self.call("channels", {"prefix": prefix}).json["channels"]
        by_name = {entry["channel"]: entry for entry in listed}
        self.assertEqual(sorted(by_name), [f"{prefix}-{i}" for i in range(3)])
        self.assertEqual([by_name[f"{prefix}-{i}"]["messages"] for i in range(3)], [1, 2, 3])
        self.assertEqual([by_name[f"{prefix}-{i}"]["head"] for i in range(3)], [1, 2, 3])
        self.assertEqual([by_name[f"{prefix}-{i}"]["subscribers"] for i in range(3)], [0, 3, 0])
        self.assertEqual(set(listed[0]), {"channel", "epoch", "head", "messages", "bytes", "subscribers", "lagging", "queued",
                                          "dropped", "conflated", "overload", "closed"})
        self.assertEqual(len(self.server.http("GET", f"/api/channels?prefix={prefix}&limit=2").json["channels"]), 2)

    def test_info(self):
        info = self.call("info", {}).json
        self.assertLessEqual({"version", "workers", "uptime_s", "connections", "channels", "memory_bytes"}, set(info))
        self.assertEqual(self.server.http("GET", "/api/info").json["version"], info["version"])

    def test_health_ready_version(self):
        for target in ("/health", "/ready", "/version"):
            self.assertEqual(self.server.http("GET", target).status, 200)

    def test_metrics_are_prometheus_text(self):
        answer = self.server.http("GET", "/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.header("Content-Type").startswith("text/plain"))
        self.assertGreater(len(self.server.metrics()), 10)


class TwoWorkers(SameMessagesEverywhere):
    arguments = ("--workers", "2")


class FourWorkersSince(Since):
    arguments = ("--workers", "4")


if __name__ == "__main__":
    rig.main()
