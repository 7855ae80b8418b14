"""Map subscriptions of the Centrifuge protocol frame by frame: pages of state, pages of changes, live; every order of them that is
wrong; and that each page asks for the right anew. What SDKs make of it: centrifuge/maps.test.mjs."""
import json
import signal

import rig
import tokens
import wire
from centrifuge_wire import Json
from test_centrifuge_raw import API_KEY, in_each_format
import test_centrifuge_raw

CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = 2
[auth]
token_keys = ["{tokens.KEY}"]
api_keys = ["{API_KEY}"]
strict_namespaces = true
[limits]
channels_per_peer_max = 6
message_bytes_max = "64KiB"
[namespaces.stream]
subscribe = "user"
publish = "user"
[namespaces.map]
subscribe = "user"
publish = "user"
remove = "user"
subscription_type = "map"
map_page_entries_min = 2
map_page_entries_max = 20
[namespaces.ordered]
subscribe = "user"
publish = "user"
subscription_type = "map"
map_ordered = true
map_page_entries_min = 1
[namespaces.usual]
subscribe = "user"
publish = "user"
subscription_type = "map"
[namespaces.ephemeral]
subscribe = "user"
publish = "user"
remove = "user"
subscription_type = "map"
map_mode = "ephemeral"
map_page_entries_min = 2
[namespaces.short]
subscribe = "user"
publish = "user"
subscription_type = "map"
history_messages_max = 3
map_page_entries_min = 2
[namespaces.hasty]
subscribe = "user"
publish = "user"
subscription_type = "map"
map_page_entries_min = 1
map_catch_up_max = "100ms"
[namespaces.token]
subscribe = "token"
publish = "user"
subscription_type = "map"
map_page_entries_min = 1
[namespaces.taken]
subscribe = "SUBSCRIBE"
publish = "user"
subscription_type = "map"
map_page_entries_min = 1
"""
STATE, STREAM = 2, 1
MAP = {"type": 1}


class Pages(test_centrifuge_raw.Raw):
    """Not a test itself."""
    options = {"dev": False, "config": CONFIG.replace("SUBSCRIBE", "user")}

    def channel(self, namespace="map"):
        return super().channel(namespace)

    def filled(self, socket, channel, count, first=0):
        """Keys k00, k01, ... in their order."""
        for n in range(first, first + count):
            socket.ask(publish={"channel": channel, "type": 1, "key": f"k{n:02}", "data": {"n": n}})

    def state(self, channel, cursor=None, **more):
        return {"channel": channel, "type": 1, "phase": STATE, **({"cursor": cursor} if cursor else {}), **more}

    def changes(self, channel, epoch, offset, **more):
        return {"channel": channel, "type": 1, "phase": STREAM, "epoch": epoch, **({"offset": offset} if offset else {}), **more}

    @staticmethod
    def keys(publications):
        return [each["key"] for each in publications]


class Maps(Pages):
    @in_each_format
    def test_pages_of_state_and_the_last_goes_live(self, form):
        socket, channel = self.connected(form), self.channel()
        self.filled(socket, channel, 5)
        first = socket.ask(subscribe=self.state(channel, limit=2))
        epoch = first["epoch"]
        self.assertEqual((first["type"], first["phase"], first["offset"], self.keys(first["state"])), (1, STATE, 5, ["k00", "k01"]))
        self.assert_no_zeros(first)
        self.assertEqual([each["offset"] for each in first["state"]], [1, 2])
        self.filled(socket, channel, 1, first=7)
        socket.ask(publish={"channel": channel, "type": 1, "key": "k03", "data": {"n": "new"}})
        second = socket.ask(subscribe=self.state(channel, first["cursor"], limit=2, epoch=epoch, offset=5))
        # What is newer than the first page comes as a change.
        self.assertEqual((second["phase"], second["offset"], self.keys(second["state"])), (STATE, 5, ["k02"]))
        third = socket.ask(subscribe=self.state(channel, second["cursor"], limit=2, epoch=epoch, offset=5))
        self.assertNotIn("phase", third)
        self.assertNotIn("cursor", third)
        self.assertEqual((third["type"], third["epoch"], third["offset"], third["recoverable"]), (1, epoch, 7, True))
        self.assertEqual((self.keys(third["state"]), self.keys(third["publications"])), (["k04"], ["k07", "k03"]))
        self.assertFalse({"recovered", "was_recovering", "positioned"} & set(third))
        socket.ask(publish={"channel": channel, "type": 1, "key": "k00", "removed": True})
        self.assertEqual(socket.push(), ("pub", channel, {"offset": 8, "key": "k00", "removed": True}))

    @in_each_format
    def test_pages_of_changes(self, form):
        socket, channel = self.connected(form), self.channel()
        self.filled(socket, channel, 3)
        first = socket.ask(subscribe=self.state(channel, limit=2))
        epoch = first["epoch"]
        self.filled(socket, channel, 7, first=10)
        last = socket.ask(subscribe=self.state(channel, first["cursor"], limit=20))
        self.assertNotIn("phase", last)  # ten changes are no more than a page of that size
        socket.ask(unsubscribe={"channel": channel})

        first = socket.ask(subscribe=self.state(channel, limit=2))
        cursor = first["cursor"]
        self.filled(socket, channel, 5, first=0)
        while True:
            page = socket.ask(subscribe=self.state(channel, cursor, limit=2))
            if not (cursor := page.get("cursor")):
                break
        self.assertEqual((page["phase"], page["offset"]), (STATE, 10))
        self.assertNotIn("recoverable", page)
        seen, at, phases = [], 10, []
        while True:
            page = socket.ask(subscribe=self.changes(channel, epoch, at, limit=2))
            seen += [each["offset"] for each in page.get("publications", [])]
            phases.append(page.get("phase", 0))
            if not phases[-1]:
                break
            at = page["offset"]
            self.assertEqual(at, seen[-1])
        self.assertEqual((seen, phases), ([11, 12, 13, 14, 15], [STREAM, STREAM, 0]))
        self.assertEqual((page["offset"], page["recoverable"]), (15, True))
        self.assertFalse({"recovered", "was_recovering"} & set(page))

    @in_each_format
    def test_recovery(self, form):
        socket, channel = self.connected(form), self.channel()
        self.filled(socket, channel, 5)
        live = socket.ask(subscribe=self.state(channel))
        epoch = live["epoch"]
        self.assertEqual(socket.refusal(subscribe=self.state(channel)), 105)
        socket.ask(unsubscribe={"channel": channel})
        self.filled(socket, channel, 4, first=3)
        answer = socket.ask(subscribe=self.changes(channel, epoch, 5, recover=True))
        self.assertEqual((answer["recovered"], answer["was_recovering"], answer["offset"], self.keys(answer["publications"])),
                         (True, True, 9, ["k03", "k04", "k05", "k06"]))
        socket.ask(unsubscribe={"channel": channel})
        nothing = socket.ask(subscribe=self.changes(channel, epoch, 9, recover=True))
        self.assertEqual((nothing["recovered"], nothing["offset"], nothing.get("publications")), (True, 9, None))
        socket.ask(unsubscribe={"channel": channel})
        # At once, without a page.
        answer = socket.ask(subscribe={"channel": channel, **MAP, "recover": True, "epoch": epoch, "offset": 7})
        self.assertEqual((answer["recovered"], len(answer["publications"])), (True, 2))
        socket.ask(unsubscribe={"channel": channel})
        for wrong in ({"epoch": "_", "offset": 1}, {"epoch": "aaaaaaaa", "offset": 1}, {"offset": 1}, {"epoch": epoch, "offset": 1 << 63},
                      {"epoch": epoch, "offset": 10}):
            for phase in ({}, {"phase": STREAM}):
                with self.subTest(wrong, **phase):
                    self.assertEqual(socket.refusal(subscribe={"channel": channel, **MAP, "recover": True, **phase, **wrong}), 112)

    @in_each_format
    def test_what_is_not_held_any_more(self, form):
        socket, channel = self.connected(form), self.channel("short")
        self.filled(socket, channel, 5)
        epoch = socket.ask(subscribe=self.state(channel))["epoch"]
        socket.ask(unsubscribe={"channel": channel})
        self.filled(socket, channel, 4)
        self.assertEqual(socket.refusal(subscribe=self.changes(channel, epoch, 5, recover=True)), 112)
        self.assertEqual(len(socket.ask(subscribe=self.changes(channel, epoch, 6, recover=True))["publications"]), 3)
        # While it pages.
        other = self.channel("short")
        self.filled(socket, other, 5)
        cursor = socket.ask(subscribe=self.state(other, limit=3))["cursor"]
        self.filled(socket, other, 4)
        last = socket.ask(subscribe=self.state(other, cursor, limit=3))
        self.assertEqual((last["phase"], last["offset"]), (STATE, 5))
        self.assertEqual(socket.refusal(subscribe=self.changes(other, last["epoch"], 5)), 112)
        self.assertEqual(socket.refusal(subscribe=self.changes(other, last["epoch"], 5)), 103)  # it is over
        self.assertEqual(len(socket.ask(subscribe=self.state(other))["state"]), 5)

    @in_each_format
    def test_wrong_orders(self, form):
        socket, channel = self.connected(form), self.channel()
        self.filled(socket, channel, 5)
        for code, request in ((103, self.state(channel, "17")), (103, self.changes(channel, "aaaaaaaa", 1)),
                              (107, {"channel": channel, **MAP, "phase": 3}), (107, {"channel": channel, **MAP, "phase": 1000}),
                              (112, {"channel": channel, **MAP})):
            with self.subTest(request):
                self.assertEqual(socket.refusal(subscribe=request), code)
        ordered = self.channel("ordered")
        self.filled(socket, ordered, 3)
        first = socket.ask(subscribe=self.state(ordered, limit=1))
        self.assertEqual(socket.refusal(subscribe=self.state(ordered, "no cursor of ours", limit=1)), 107)
        self.assertEqual(socket.refusal(subscribe=self.state(ordered, first["cursor"], limit=1)), 103)  # it is over
        first = socket.ask(subscribe=self.state(channel, limit=2))
        self.assertEqual(socket.refusal(subscribe=self.state(channel, first["cursor"], epoch="aaaaaaaa")), 112)
        # A first page begins anew, whatever was before.
        for _ in range(3):
            self.assertEqual(self.keys(socket.ask(subscribe=self.state(channel, limit=2))["state"]), ["k00", "k01"])
        self.assertEqual(socket.refusal(subscribe={"channel": channel, **MAP, "phase": 7}), 107)
        ephemeral = self.channel("ephemeral")
        self.filled(socket, ephemeral, 3)
        for more in ({}, {"recover": True}):
            self.assertEqual(socket.refusal(subscribe=self.changes(ephemeral, "aaaaaaaa", 1, **more)), 107)

    @in_each_format
    def test_one_page_at_a_time(self, form):
        socket, channel = self.connected(form), self.channel()
        self.filled(socket, channel, 5)
        commands = [socket.numbered({"subscribe": self.state(channel, limit=2)}) for _ in range(3)]
        socket.send(*commands)
        answers = [socket.reply(command["id"]) for command in commands]
        self.assertIn("subscribe", answers[0])
        self.assertEqual([answer["error"] for answer in answers[1:]], [{"code": 113, "message": "concurrent pagination", "temporary": True}] * 2)
        cursor = answers[0]["subscribe"]["cursor"]
        self.assertEqual(self.keys(socket.ask(subscribe=self.state(channel, cursor, limit=2))["state"]), ["k02", "k03"])

    @in_each_format
    def test_sizes_of_pages(self, form):
        socket, channel, usual = self.connected(form), self.channel(), self.channel("usual")
        self.filled(socket, channel, 30)
        sizes = [(0, 20), (1, 2), (2, 2), (7, 7), (20, 20), (21, 20), (2147483647, 20)] + ([(-1, 20), (-2147483648, 20)] if form is Json else [])
        for asked, expected in sizes:
            with self.subTest(asked):
                page = socket.ask(subscribe=self.state(channel, **({"limit": asked} if asked else {})))
                self.assertEqual(len(page["state"]), expected)
        self.filled(socket, usual, 101)
        for asked, expected in ((0, 100), (1, 100), (1000, 101)):
            page = socket.ask(subscribe=self.state(usual, **({"limit": asked} if asked else {})))
            self.assertEqual((len(page["state"]), "cursor" in page), (expected, expected == 100))

    @in_each_format
    def test_bytes_of_pages(self, form):
        """However many entries fit into a page, its bytes are bounded."""
        socket, channel = self.connected(form), self.channel("usual")
        for n in range(12):
            socket.ask(publish={"channel": channel, "type": 1, "key": f"k{n:02}", "data": "x" * 60_000})
        pages, cursor = [], None
        while cursor or not pages:
            page = socket.ask(subscribe=self.state(channel, cursor, limit=1000))
            pages.append(len(page["state"]))
            cursor = page.get("cursor")
        self.assertEqual(sum(pages), 12)
        self.assertLessEqual(max(pages), 4)

    @in_each_format
    def test_an_empty_map(self, form):
        for namespace in ("map", "ephemeral"):
            socket, channel = self.connected(form), self.channel(namespace)
            live = socket.ask(subscribe=self.state(channel))
            self.assertNotIn("state", live)
            self.assertNotIn("phase", live)
            self.filled(socket, channel, 1)
            self.assertEqual(socket.push()[2]["key"], "k00")

    @in_each_format
    def test_an_ephemeral_map(self, form):
        socket, channel = self.connected(form), self.channel("ephemeral")
        self.filled(socket, channel, 5)
        first = socket.ask(subscribe=self.state(channel, limit=3))
        self.assertNotIn("offset", first["state"][0])
        self.filled(socket, channel, 150)  # more than a page
        page = {"cursor": first["cursor"]}
        keys = self.keys(first["state"])
        while cursor := page.get("cursor"):
            page = socket.ask(subscribe=self.state(channel, cursor, limit=100))
            keys += self.keys(page.get("state", []))
        self.assertNotIn("phase", page)
        self.assertFalse({"recoverable", "positioned", "recovered"} & set(page))
        self.assertEqual(keys, ["k00", "k01", "k02"])  # the others are newer than the first page
        self.assertEqual(len(page["publications"]), 150)
        self.assertFalse(any("offset" in each for each in page["publications"]))
        socket.ask(publish={"channel": channel, "type": 1, "key": "x", "data": 1})
        self.assertNotIn("offset", socket.push()[2])
        # At once, without its state: who wants no more.
        socket.ask(unsubscribe={"channel": channel})
        self.assertNotIn("publications", socket.ask(subscribe={"channel": channel, **MAP}))

    @in_each_format
    def test_who_takes_too_long(self, form):
        socket, channel = self.connected(form), self.channel("hasty")
        self.filled(socket, channel, 3)
        cursor = socket.ask(subscribe=self.state(channel, limit=1))["cursor"]
        with self.assertRaises(wire.Closed) as caught:
            while True:  # the same page again and again, until the time is over
                reply = socket.call(subscribe=self.state(channel, cursor, limit=1))
                self.assertTrue("subscribe" in reply or reply["error"]["code"] == 111, reply)  # too often, on a quick machine
        self.assertEqual((caught.exception.code, caught.exception.reason), (3008, "slow"))

    @in_each_format
    def test_who_does_not_go_on_keeps_no_place(self, form):
        socket = self.connected(form)
        channels = [self.channel("hasty") for _ in range(7)]
        for channel in channels:
            self.filled(socket, channel, 2)
        for channel in channels[:6]:
            self.assertIn("cursor", socket.ask(subscribe=self.state(channel, limit=1)))
        watch = rig.Deadline()
        while "error" in (answer := socket.call(subscribe=self.state(channels[6], limit=1))):
            self.assertIn(answer["error"]["code"], (106, 111))  # 111: an address may begin only so many channels at a time
            watch.check(lambda: "six that were begun still count")

    @in_each_format
    def test_unsubscribe_on_the_way(self, form):
        socket, channel = self.connected(form), self.channel()
        self.filled(socket, channel, 5)
        cursor = socket.ask(subscribe=self.state(channel, limit=2))["cursor"]
        self.assertEqual(socket.ask(unsubscribe={"channel": channel}), {})
        self.assertEqual(socket.refusal(subscribe=self.state(channel, cursor, limit=2)), 103)
        for limit in (2, 20):  # while a page is read, while it goes live
            page, end, again = (socket.numbered(each) for each in (
                {"subscribe": self.state(channel, limit=limit)}, {"unsubscribe": {"channel": channel}}, {"subscribe": self.state(channel, limit=20)}))
            socket.send(page, end, again)
            replies = [socket.next() for _ in range(3)]
            self.assertEqual([reply["id"] for reply in replies], [page["id"], end["id"], again["id"]])
            self.assertIn("subscribe", replies[2])
            socket.ask(unsubscribe={"channel": channel})

    @in_each_format
    def test_types(self, form):
        socket = self.connected(form)
        for code, request in ((107, {"channel": "stream:x", "type": 1, "phase": STATE}), (107, {"channel": "map:x"}),
                              (107, {"channel": "map:x", "type": 2, "phase": STATE}), (107, {"channel": "map:x", "type": 3, "phase": STATE}),
                              (107, {"channel": "map:x", "type": 17}), (108, {"channel": "map:x", "type": 4}), (108, {"channel": "stream:x", "type": 4}),
                              (102, {"channel": "unheard-of:x", "type": 1, "phase": STATE}), (103, {"channel": "token:x", "type": 1, "phase": STATE})):
            with self.subTest(request):
                self.assertEqual(socket.refusal(subscribe=request), code)

    @in_each_format
    def test_publishing(self, form):
        socket, channel = self.connected(form), self.channel()
        for code, request in ((107, {"channel": channel, "type": 1, "data": 1}), (107, {"channel": channel, "type": 1, "removed": True}),
                              (107, {"channel": channel, "type": 1, "key": "k" * 256, "data": 1}), (107, {"channel": channel, "data": 1}),
                              (107, {"channel": "stream:x", "type": 1, "key": "a", "data": 1}), (108, {"channel": channel, "type": 2, "key": "a", "data": 1}),
                              (102, {"channel": "unheard-of:x", "type": 1, "key": "a", "data": 1}), (103, {"channel": "usual:x", "type": 1, "key": "a", "removed": True})):
            with self.subTest(request):
                self.assertEqual(socket.refusal(publish=request), code)
        socket.ask(publish={"channel": channel, "type": 1, "key": "k" * 255, "data": None})
        socket.ask(publish={"channel": channel, "type": 1, "key": "nothing", "removed": True})
        self.assertEqual(self.keys(socket.ask(subscribe=self.state(channel))["state"]), ["k" * 255])
        socket.send(socket.numbered({"publish": {"channel": channel, "type": 1, "key": "a"}}))
        self.assertEqual(socket.closed(), test_centrifuge_raw.BAD_REQUEST)

    @in_each_format
    def test_a_token_is_asked_for_at_every_page(self, form):
        socket, channel = self.connected(form), self.channel("token")
        self.filled(socket, channel, 3)
        own = {"token": test_centrifuge_raw.token(channel=channel, jti=f"page {form.name}")}
        cursor = socket.ask(subscribe=self.state(channel, limit=1, **own))["cursor"]
        # Continued without saying it again, as the first page has said it.
        cursor = socket.ask(subscribe=self.state(channel, cursor, limit=1))["cursor"]
        with wire.Connection(self.server.admin_address) as connection:
            answer = connection.request("POST", "/api/revoke_token", json.dumps({"uid": f"page {form.name}"}), {"X-API-Key": API_KEY})
        self.assertEqual(answer.status, 200)
        self.assertEqual(socket.refusal(subscribe=self.state(channel, cursor, limit=1, **own)), 103)


class TakenAway(Pages):
    def reload(self, subscribe):
        before = self.server.log().count("event=reloaded")
        self.server.configure(CONFIG.replace("SUBSCRIBE", subscribe))
        self.server.signal(signal.SIGHUP)
        self.server.until(lambda: self.server.log().count("event=reloaded") > before, self.server.log)

    @in_each_format
    def test_a_right_that_a_reload_takes_away_while_it_pages(self, form):
        self.reload("user")
        socket, channel = self.connected(form), self.channel("taken")
        self.filled(socket, channel, 9)
        page = socket.ask(subscribe=self.state(channel, limit=1))
        self.reload("nobody")
        self.assertEqual(socket.refusal(subscribe=self.state(channel, page["cursor"], limit=1)), 103)
        self.assertEqual(socket.refusal(subscribe=self.state(channel)), 103)


if __name__ == "__main__":
    rig.main()
