"""Who is measured: how each server is started, and how the drain client (bench/drain) speaks to it.

Each runs with one worker thread, without history, without compression and without logging of requests, so that all do the
same work: the same payload to the same receivers. What they wrap around the payload is their protocol's.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

from processes import HOST, ROOT, Server, reserve_port

CONFORMANCE_WS = ROOT / "conformance/node_modules/ws"
SOCKET_IO = ROOT / "bench/peers/node_modules/socket.io"
NCHAN = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


def hexed(data):
    return (data.encode() if isinstance(data, str) else data).hex()


def said(command):
    """The version in what a program says about itself."""
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+\.\d+\.\d+", done.stdout + done.stderr)
    return found[0] if found else "?"


def program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


class Contestant:
    name = ""
    threads = 1
    # Flags of the drain client; None: it has no such mode.
    fan_out = None
    echo = None

    def missing(self):
        """Why it cannot be measured here, or None."""
        return None

    def version(self):
        return ""

    def prepare(self, folder, port):
        """Writes what it needs into the folder; the command that starts it."""
        raise NotImplementedError

    def start(self, folder, mode="fan-out"):
        """A server that has not been entered."""
        self.mode, self.keepers = "echo" if mode == "echo" else "fan-out", []
        port = self.reserve_port()
        return Server(self.prepare(pathlib.Path(folder), port), port, folder, self.threads, self.keepers)

    def reserve_port(self):
        port, keeper = reserve_port()
        self.keepers.append(keeper)
        return port

    def flags(self, mode, bytes_):
        """How the client speaks; `bytes_` is the size of a message, which some protocols say before it."""
        flags = self.echo if mode == "echo" else self.fan_out
        return flags(bytes_) if callable(flags) else flags


class Wirebird(Contestant):
    fan_out = ["--path", "/ws/bench"]
    echo = ["--path", "/echo"]

    def __init__(self, binary, workers=1, tls=None, batcher=True, max_delay=None):
        self.binary, self.threads, self.tls, self.batcher, self.max_delay = binary, workers, tls, batcher, max_delay
        self.name = "wirebird" if workers == 1 else f"wirebird, {workers} workers"
        if not batcher:
            self.name += ", no batcher"
        if max_delay:
            self.name += f", max_delay {max_delay}"

    def version(self):
        return said([self.binary, "version"])

    def prepare(self, folder, port):
        config = folder / "wirebird.toml"
        scheme, tls = "", ""
        if self.tls:
            scheme, tls = "https://", f'[tls]\ncertificate_file = "{self.tls[0]}"\nkey_file = "{self.tls[1]}"\n'
        config.write_text(f'[server]\ndev = true\nlisten = ["{scheme}{HOST}:{port}"]\nworkers = {self.threads}\n'
                          f'send_batcher = {"true" if self.batcher else "false"}\n{tls}'
                          f'[channels]\nhistory_messages_max = 0\nmax_delay = "{self.max_delay or "0s"}"\n')
        return [self.binary, "serve", "--config", config]


def protobuf_field(number, value):
    """Protobuf: a field of at most 127 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


class Centrifuge(Wirebird):
    """The same server with receivers that speak the Centrifuge protocol. Who publishes is a plain WebSocket."""

    def __init__(self, binary, form="JSON", delta=False, batcher=True):
        super().__init__(binary, batcher=batcher)
        self.form, self.delta = form, delta
        self.name = f"wirebird, Centrifuge {form}" + (", delta" if delta else "")

    def fan_out(self, _):
        # Pings of WebSocket, for the client answers no others.
        flags = ["--path", "/connection/websocket?cf_ws_frame_ping_pong=true", "--publisher-path", "/ws/bench"]
        if self.form == "JSON":
            subscribe = {"id": 2, "subscribe": {"channel": "bench", **({"delta": "fossil"} if self.delta else {})}}
            hello = "text:" + hexed('{"id":1,"connect":{}}\n' + json.dumps(subscribe))
            ready = hexed('"id":2')
        else:
            subscribe = protobuf_field(1, b"bench") + (protobuf_field(12, b"fossil") if self.delta else b"")
            commands = [b"\x08\x01" + protobuf_field(4, b""), b"\x08\x02" + protobuf_field(5, subscribe)]
            hello = "binary:" + hexed(b"".join(bytes([len(each)]) + each for each in commands))
            flags += ["--header", "Sec-WebSocket-Protocol: centrifuge-protobuf"]
            ready = hexed(b"\x08\x02\x32")  # Reply{id = 2, subscribe
        return flags + ["--hello", hello, "--ready", ready] + (["--count-frames", "yes"] if self.delta else [])

    def prepare(self, folder, port):
        command = super().prepare(folder, port)
        config = folder / "wirebird.toml"
        options = "presence = false\njoin_leave = false"  # which --dev switches on
        if self.delta:  # needs a history
            options += "\nhistory_messages_max = 1\nallow_delta = true\ndelta_publish = true"
        else:
            options += "\nhistory_messages_max = 0"
        config.write_text(config.read_text().replace("history_messages_max = 0", options))
        return command


class Bare(Contestant):
    name = "bare loop"
    fan_out = echo = ["--bare", "yes"]

    def __init__(self, binary):
        self.binary = binary

    def prepare(self, folder, port):
        return [self.binary, self.mode, port]


class BareTls(Contestant):
    name = "bare OpenSSL objects"

    def __init__(self, binary, tls):
        self.binary, self.tls = binary, tls

    def prepare(self, folder, port):
        return [self.binary, port, *self.tls]


class Node(Contestant):
    """A server script in bench/peers."""

    script = ""
    package = None

    def missing(self):
        if not shutil.which("node"):
            return "there is no Node.js"
        return None if self.package.exists() else f"{self.package.name} from npm is not installed"

    def version(self):
        return json.loads((self.package / "package.json").read_text())["version"] + " on Node.js " + said(["node", "--version"])

    def prepare(self, folder, port):
        return ["node", ROOT / "bench/peers" / self.script, port]


class Ws(Node):
    name, script, package = "ws (npm)", "ws_server.js", CONFORMANCE_WS
    fan_out = ["--path", "/bench"]
    echo = ["--path", "/echo"]

    def __init__(self, deflate=False):
        self.deflate = deflate

    def prepare(self, folder, port):
        return super().prepare(folder, port) + (["deflate"] if self.deflate else [])


class SocketIo(Node):
    name, script, package = "socket.io (npm)", "socketio_server.js", SOCKET_IO
    # Engine.IO 4: `40` joins the default namespace, `42` is an event.
    _open = ["--path", "/socket.io/?EIO=4&transport=websocket", "--hello", "text:" + hexed("40"), "--ready", hexed("40{")]
    fan_out = _open + ["--before", hexed('42["publish","'), "--after", hexed('"]')]
    echo = _open + ["--before", hexed('42["echo","'), "--after", hexed('"]')]


class Nchan(Contestant):
    name = "nginx with nchan"

    def missing(self):
        return None if program("nginx") and NCHAN.exists() else "nginx or its module nchan is not installed"

    def version(self):
        return said([program("nginx"), "-v"])

    @staticmethod
    def fan_out(bytes_):
        # k requests in one write; nginx takes them one after the other in one turn.
        head = f"POST /publish HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: text/plain\r\nContent-Length: {bytes_}\r\n\r\n"
        return ["--path", "/subscribe", "--publisher-path", "/publish", "--publish", "raw", "--before", hexed(head)]

    def prepare(self, folder, port):
        user = "user root;" if os.getuid() == 0 else ""  # the worker must be able to read the folder
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
            load_module {NCHAN};
            {user} daemon off; pid {folder}/pid; error_log {folder}/errors error;
            worker_processes 1; worker_rlimit_nofile 20000;
            events {{ worker_connections 20000; multi_accept on; }}
            http {{
              access_log off; {temporary} keepalive_requests 1000000000;
              server {{
                listen {HOST}:{port} backlog=4096;
                location = /subscribe {{
                  nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest;
                }}
                location = /publish {{ nchan_publisher http; nchan_channel_id bench; nchan_message_buffer_length 0; }}
              }}
            }}""")
        return [program("nginx"), "-e", folder / "errors", "-p", folder, "-c", folder / "nginx.conf"]


def mqtt_packet(kind, body):
    return bytes([kind]) + mqtt_length(len(body)) + body


def mqtt_length(length):
    """MQTT 3.1.1, section 2.2.3."""
    digits = b""
    while True:
        length, digit = divmod(length, 128)
        digits += bytes([digit | (0x80 if length else 0)])
        if not length:
            return digits


def mqtt_text(text):
    return len(text).to_bytes(2, "big") + text.encode()


class Mosquitto(Contestant):
    name = "mosquitto"

    def missing(self):
        return None if program("mosquitto") else "it is not installed"

    def version(self):
        return said([program("mosquitto"), "-h"])

    @staticmethod
    def fan_out(bytes_):
        connect = mqtt_packet(0x10, mqtt_text("MQTT") + b"\x04\x02\x00\x00" + mqtt_text(""))  # clean session, no keep-alive
        subscribe = mqtt_packet(0x82, b"\x00\x01" + mqtt_text("bench") + b"\x00")  # QoS 0
        topic = mqtt_text("bench")
        suback = b"\x90\x03\x00\x01\x00"
        return ["--path", "/", "--header", "Sec-WebSocket-Protocol: mqtt", "--hello", "binary:" + hexed(connect),
                "--hello", "binary:" + hexed(subscribe), "--ready", hexed(suback), "--publish", "binary",
                "--before", hexed(b"\x30" + mqtt_length(len(topic) + bytes_) + topic)]

    def prepare(self, folder, port):
        user = "user root\n" if os.getuid() == 0 else ""
        plain = self.reserve_port()  # 2.0.11 does not start with WebSocket listeners alone
        (folder / "mosquitto.conf").write_text(
            f"{user}listener {plain} {HOST}\nlistener {port} {HOST}\nprotocol websockets\n"
            "allow_anonymous true\npersistence false\nlog_type error\nsys_interval 0\nset_tcp_nodelay true\n"
            "max_queued_messages 0\n")
        return [program("mosquitto"), "-c", folder / "mosquitto.conf"]


class Nats(Contestant):
    name = "nats-server"

    def missing(self):
        return None if program("nats-server") else "it is not installed"

    def version(self):
        return said([program("nats-server"), "--version"])

    @staticmethod
    def fan_out(bytes_):
        hello = 'CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\nSUB bench 1\r\nPING\r\n'
        return ["--path", "/", "--hello", "binary:" + hexed(hello), "--ready", hexed("PONG"), "--publish", "binary",
                "--before", hexed(f"PUB bench {bytes_}\r\n"), "--after", hexed("\r\n")]

    def prepare(self, folder, port):
        plain = self.reserve_port()
        (folder / "nats.conf").write_text(
            f'listen: "{HOST}:{plain}"\nmax_connections: 20000\nping_interval: "1h"\n'
            f'websocket {{ listen: "{HOST}:{port}", no_tls: true, compression: false }}\n')
        return [program("nats-server"), "-c", folder / "nats.conf"]


def peers():
    return [Nchan(), Mosquitto(), Nats(), Ws(), SocketIo()]
