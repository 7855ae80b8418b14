"""The official JavaScript SDK of the Centrifuge protocol (npm centrifuge), unmodified, against servers of several configurations.

What is tried stands in centrifuge/*.test.mjs; this file starts the servers and gives each group of tests its own.
"""
import http.server
import json
import os
import re
import shutil
import subprocess
import unittest

import browser
import rig
import tokens

FOLDER = rig.HERE / "centrifuge"
NODE = shutil.which("node")
API_KEY = "an-api-key-for-tests-only"
GROUP_S = 300  # only what hangs needs as long

CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
workers = 2
[auth]
token_keys = ["{tokens.KEY}"]
api_keys = ["{API_KEY}"]
strict_namespaces = true
private_channels = true
[limits]
channels_per_peer_max = 12

[namespaces.open]
subscribe = "user"
publish = "user"
presence = true
join_leave = true
[namespaces.quiet]
subscribe = "user"
allow_positioning = false
allow_recovery = false
[namespaces.forced]
subscribe = "user"
presence = true
join_leave = true
force_push_join_leave = true
force_positioning = true
force_recovery = true
[namespaces.nohistory]
subscribe = "user"
history_messages_max = 0
[namespaces.short]
subscribe = "user"
history_messages_max = 3
[namespaces.cache]
subscribe = "user"
history_messages_max = 3
force_recovery = true
recovery_mode = "cache"
auto_cache_recover = true
[namespaces.delta]
subscribe = "user"
allow_delta = true
delta_publish = true
[namespaces.choice]
subscribe = "user"
allow_delta = true
[namespaces.tags]
subscribe = "user"
allow_tags_filter = true
[namespaces.compact]
subscribe = "user"
publish = "user"
join_leave = true
allow_channel_compaction = true
[namespaces.readonly]
subscribe = "user"
[namespaces.subpub]
subscribe = "user"
publish_for_subscriber = true
[namespaces.objects]
subscribe = "user"
publish = "user"
payload_format = "json_object"
[namespaces.token]
subscribe = "token"
publish_for_subscriber = true
presence = true
[namespaces.closed]
[namespaces.secretive]
subscribe = "user"
presence = true
read_history = "nobody"
read_presence = "nobody"
[namespaces.limited]
publish = "user"
user_limited_channels = true
[namespaces.pattern]
subscribe = "user"
channel_pattern = "[0-9]+"
[namespaces.personal]
[namespaces.map]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
publish = "user"
remove = "user"
[namespaces.mapreadonly]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
[namespaces.mapsub]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
publish_for_subscriber = true
[namespaces.mapshort]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
history_messages_max = 3
[namespaces.mapobjects]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
publish = "user"
payload_format = "json_object"
[namespaces.mapdelta]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
allow_delta = true
delta_publish = true
[namespaces.maptags]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
allow_tags_filter = true
[namespaces.maptoken]
subscription_type = "map"
subscribe = "token"
map_page_entries_min = 1
map_catch_up_max = "1m"
[namespaces.ephemeral]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
map_mode = "ephemeral"
[namespaces.brief]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
map_key_ttl = "1s"
[namespaces.cursors]
subscription_type = "map"
subscribe = "user"
map_page_entries_min = 1
map_catch_up_max = "1m"
map_mode = "ephemeral"
map_client_key = "client_id"
map_remove_client_on_unsubscribe = true
publish_for_subscriber = true
[namespaces.game]
subscribe = "user"
map_clients_presence_prefix = "clients:"
map_users_presence_prefix = "users:"
[namespaces.clients]
subscribe = "user"
subscription_type = "map_clients"
[namespaces.users]
subscribe = "user"
subscription_type = "map_users"
"""

PINGS = """
[websocket]
ping_interval = "3s"
"""

PERSONAL = """
[centrifuge]
personal_channel = true
personal_channel_namespace = "personal"
"""


@unittest.skipUnless(NODE and (rig.HERE / "node_modules/centrifuge").is_dir(), "needs Node.js and the packages of conformance/package-lock.json")
class Groups(rig.ServerTest):
    """Not a test itself: runs files of tests against the class's server."""

    dev = False

    def run_group(self, name):
        described = {"port": self.server.port, "admin": self.server.port if self.dev else self.server.admin_port, "dev": self.dev,
                     "pid": self.server.process.pid, "token_key": tokens.KEY, "api_key": API_KEY}
        run = subprocess.run(
            [NODE, "--test", "--test-reporter=tap", "--test-reporter-destination=stdout", "--test-reporter=spec", "--test-reporter-destination=stderr",
             str(FOLDER / f"{name}.test.mjs")],
            capture_output=True, text=True, timeout=GROUP_S, env={**os.environ, "CENTRIFUGE_RIG": json.dumps(described)})
        passed = re.findall(r"^ *ok \d+ - (.*)$", run.stdout, re.MULTILINE)
        for test, reason in re.findall(r"^ *ok \d+ - (.*) # SKIP (.*)$", run.stdout, re.MULTILINE):
            with self.subTest(test):
                self.skipTest(reason)
        if run.returncode != 0:
            self.fail(run.stderr.partition("failing tests")[2] or run.stdout + run.stderr)
        self.assertTrue(passed, run.stdout)


class Production(Groups):
    options = {"dev": False, "config": CONFIG}

    def test_connection(self):
        self.run_group("connection")

    def test_subscriptions(self):
        self.run_group("subscriptions")

    def test_recovery(self):
        self.run_group("recovery")

    def test_channels(self):
        self.run_group("channels")

    def test_maps(self):
        self.run_group("maps")

    def test_delta(self):
        self.run_group("delta")

    def test_doors(self):
        self.run_group("doors")

    def test_unidirectional(self):
        self.run_group("unidirectional")


class Pings(Groups):
    options = {"dev": False, "config": CONFIG + PINGS}

    def test_pings(self):
        self.run_group("pings")


class PersonalChannel(Groups):
    options = {"dev": False, "config": CONFIG + PERSONAL}

    def test_server_side(self):
        self.run_group("server_side")


class Drain(Groups):
    options = {"dev": False, "config": CONFIG}

    def test_drain(self):
        self.run_group("drain")


class Dev(Groups):
    """Everything but tokens works without a configuration."""

    dev = True

    def test_recovery(self):
        self.run_group("recovery")

    def test_delta(self):
        self.run_group("delta")

    def test_doors(self):
        self.run_group("doors")


class Page(http.server.SimpleHTTPRequestHandler):
    """centrifuge/browser.html with the browser build of the SDK: for JSON, or under /protobuf/ for Protobuf."""

    extensions_map = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript"}

    def translate_path(self, path):
        name = path.rpartition("/")[2]
        if name != "centrifuge.js":
            return str(FOLDER / name)
        build = "centrifuge.protobuf.js" if "/protobuf/" in self.headers["Referer"] else name
        return str(rig.HERE / "node_modules/centrifuge/dist" / build)

    def log_message(self, *_):
        pass


@unittest.skipUnless(browser.BINARY, "needs Chromium")
class Browser(Groups):
    arguments = ("--auth-allowed-origins=*",)
    options = {"dev": False, "config": CONFIG}

    def put(self, channel, numbers):
        for n in numbers:
            self.server.publish(channel, json.dumps({"n": n, "text": "κόσμε 🙂" * 20}), "application/json", {"X-API-Key": API_KEY})

    def pass_through(self, transport, protobuf=False, delta=False):
        channel = f"{'delta' if delta else 'open'}:{self.channel()}"
        with browser.site(Page) as url, rig.Proxy(self.server) as proxy, browser.Page(f"{url}/{'protobuf/' if protobuf else ''}browser.html") as page:
            page.until("window.isReady")
            begin = {"transport": transport, "host": f"127.0.0.1:{proxy.address[1]}", "protobuf": protobuf, "channel": channel, "delta": delta,
                     "token": tokens.token({"sub": "alice"})}
            page.evaluate(f"begin({json.dumps(begin)})")
            self.assertEqual(page.evaluate("all('connected')[0].transport"), transport)
            self.put(channel, range(1, 4))
            page.until("all('publication').length === 3")
            # A page that is cut off recovers, several times.
            for round in range(3):
                self.assertGreater(proxy.cut(), 0)
                self.put(channel, range(4 + 2 * round, 6 + 2 * round))
                page.until(f"all('publication').length === {5 + 2 * round}")
                page.until(f"all('subscribed').length === {2 + round}")
                self.assertTrue(page.evaluate("all('subscribed').at(-1).recovered"))
            if not delta:
                page.evaluate("sub.publish(pack({n: 10, from: 'a page'}))")
                page.until("all('publication').length === 10")
                self.assertEqual(page.evaluate("sub.presenceStats()"), {"numClients": 1, "numUsers": 1})
                self.assertEqual(page.evaluate("client.rpc('any', pack({})).catch((error) => error.code)"), 108)
            total = 9 if delta else 10
            self.assertEqual(page.evaluate("all('publication').map(({data}) => data.n)"), list(range(1, total + 1)))
            self.assertEqual(page.evaluate("all('publication').map(({offset}) => offset)"), list(range(1, total + 1)))
            self.assertEqual(page.evaluate(f"sub.history({{limit: 100}}).then(({{publications}}) => publications.length)"), total)
            self.assertEqual(page.evaluate("all('unsubscribed').concat(all('disconnected'))"), [])
            page.evaluate("client.disconnect()")
            self.assertEqual(page.evaluate("all('disconnected')[0].code"), 0)

    def test_websocket(self):
        self.pass_through("websocket")

    def test_websocket_protobuf(self):
        self.pass_through("websocket", protobuf=True)

    def test_websocket_deltas(self):
        self.pass_through("websocket", delta=True)

    def test_http_stream(self):
        self.pass_through("http_stream")

    def test_http_stream_protobuf(self):
        self.pass_through("http_stream", protobuf=True)

    def test_sse(self):
        self.pass_through("sse")

    def test_sse_deltas(self):
        self.pass_through("sse", delta=True)


if __name__ == "__main__":
    rig.main()
