"""SIGHUP: a good configuration counts from now on, a bad one changes nothing, and nobody is disconnected."""
import signal
import subprocess

import rig
import wire
from tokens import KEY, claims, token
from wire import Refused

CONFIG = f"""
[server]
listen = ["127.0.0.1:PORT"]
admin_listen = ["127.0.0.1:ADMIN"]
[auth]
token_keys = ["{KEY}"]
allowed_origins = ["https://one.example"]
[limits]
message_bytes_max = 1000
[namespaces.a]
subscribe = "anyone"
publish = "anyone"
history_messages_max = 100
"""


class Reload(rig.ServerTest):
    options = {"dev": False, "config": CONFIG}
    canaries = False

    def setUp(self):
        self.reload(CONFIG)

    def reload(self, config):
        """SIGHUP, and waits for the one new line that says what became of it."""
        before = self.server.log().count("reload")
        self.server.configure(config)
        self.server.signal(signal.SIGHUP)
        self.server.until(lambda: self.server.log().count("reload") > before, lambda: f"no word of a reload:\n{self.server.log()}")
        return self.server.log().splitlines()

    def test_permissions_change(self):
        with self.server.ws("/ws/a:x?meta=1") as socket:
            socket.recv_json()
            self.reload(CONFIG.replace('publish = "anyone"', 'publish = "token"'))
            self.server.until(lambda: self.server.http("POST", "/pub/a:x", "x").status == 401, "publishing was not closed")
            self.assertEqual(self.server.http("POST", "/pub/a:x", "x", {"Authorization": f"Bearer {token(claims())}"}).status, 200)
            self.assertEqual(socket.recv_json()["text"], "x")

    def test_a_right_that_is_taken_away_ends_the_subscription(self):
        with self.server.ws("/ws/a:gone?meta=1") as socket:
            socket.recv_json()
            self.reload(CONFIG.replace('subscribe = "anyone"', 'subscribe = "nobody"'))
            # At the latest when the next message would be delivered.
            self.server.http("POST", "/pub/a:gone", "not for you")
            code, reason = socket.expect_close()
            self.assertIn((code, reason.split(" ")[0]), ((4401, "E_REVOKED"), (4403, "E_FORBIDDEN")))
        with self.assertRaises(Refused) as caught:
            self.server.ws("/ws/a:gone")
        self.assert_refused(403, "E_FORBIDDEN", caught.exception.response)

    def test_limits_and_origins_count_for_new_connections(self):
        self.assertEqual(self.server.http("POST", "/pub/a:x", "y" * 2000).status, 413)
        self.reload(CONFIG.replace("message_bytes_max = 1000", "message_bytes_max = 3000").replace("one.example", "two.example"))
        self.server.until(lambda: self.server.http("POST", "/pub/a:x", "y" * 2000).status == 200, "the limit did not change")
        self.server.ws("/ws/a:x", {"Origin": "https://two.example"}).close()
        with self.assertRaises(Refused):
            self.server.ws("/ws/a:x", {"Origin": "https://one.example"})

    def test_history_sizes_change(self):
        for i in range(50):
            self.server.http("POST", "/pub/a:history", str(i))
        self.reload(CONFIG.replace("history_messages_max = 100", "history_messages_max = 10"))
        self.server.http("POST", "/pub/a:history", "50")
        self.server.until(lambda: len(self.server.http("GET", "/poll/a:history?since=-100").json["messages"]) == 10, "the log was not cut")

    def test_a_bad_file_changes_nothing_and_says_where(self):
        bad = {
            "not TOML": CONFIG + "\n[auth\n", "unknown key": CONFIG.replace("message_bytes_max", "mesage_bytes_max"),
            "out of range": CONFIG.replace("message_bytes_max = 1000", "message_bytes_max = 0"),
            "wrong type": CONFIG.replace("message_bytes_max = 1000", "message_bytes_max = true"),
            "short key": CONFIG.replace(KEY, "short"), "unknown access": CONFIG.replace('"anyone"', '"everyone"'),
        }
        for name, text in bad.items():
            with self.subTest(name):
                lines = self.reload(text)
                self.assertRegex("\n".join(lines[-3:]), r"wirebird\.toml")
                self.assertEqual(self.server.http("POST", "/pub/a:x", "still open").status, 200)
                self.assertEqual(self.server.http("POST", "/pub/a:x", "y" * 2000).status, 413)
                check = subprocess.run([rig.BINARY, "check-config", "--config", str(self.server.config_path)], capture_output=True, text=True,
                                       timeout=wire.DEADLINE_S)
                self.assertNotEqual(check.returncode, 0)

    def test_many_reloads_under_load_lose_nothing(self):
        with self.server.ws("/ws/a:load?meta=1") as socket, self.server.connect() as publisher:
            socket.recv_json()
            for i in range(200):
                self.server.configure(CONFIG if i % 3 else CONFIG.replace("= 100", "= 90") if i % 2 else "[broken")
                self.server.signal(signal.SIGHUP)
                self.assertEqual(publisher.request("POST", "/pub/a:load", str(i)).json["offset"], i + 1)
                self.assertEqual(socket.recv_json()["offset"], i + 1)

    def test_what_needs_a_restart_is_said(self):
        lines = self.reload(CONFIG.replace("[server]", "[server]\nworkers = 3"))
        self.assertRegex("\n".join(lines[-3:]), "restart")

    def test_echo_is_an_option(self):
        self.assertEqual(self.server.http("GET", "/echo").status, 404)
        self.reload(CONFIG + "[websocket]\necho = true\n")
        self.server.until(lambda: self.server.http("GET", "/echo").status == 426, "/echo was not opened")
        with self.server.ws("/echo") as socket:
            socket.send_text("hello")
            self.assertEqual(socket.recv(), "hello")

    def test_dev_in_the_file_opens_nothing(self):
        for _ in range(2):  # and it is said again as long as the file differs from what runs
            lines = self.reload(CONFIG.replace("[server]", "[server]\ndev = true"))
            self.assertRegex("\n".join(lines[-3:]), 'event=reloaded .*need_restart="server\.dev"')
            self.assertEqual(self.server.http("POST", "/pub/closed", "x").status, 403)
            self.assertEqual(self.server.http("GET", "/api/info").status, 404)
            self.assertEqual(self.server.http("GET", "/metrics").status, 404)
        self.assertNotRegex("\n".join(self.reload(CONFIG)[-1:]), "restart")


if __name__ == "__main__":
    rig.main()
