#!/usr/bin/python3
"""The Go and Python SDKs' own tests, as they ship them, against us with the imported configuration of the server that they expect:
./dev torture sdk_live. They want port 8000 of this machine, so each run has a network namespace of its own. The last lines are a table.

The configurations say what the docker-compose.yml of each SDK says in variables of the environment.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import rig

GO_MODULE = "github.com/centrifugal/centrifuge-go"
STREAM = {"history_size": 100, "history_ttl": "300s", "force_recovery": True, "allowed_delta_types": ["fossil"], "delta_publish": True}
SUBSCRIBER = {f"allow_{what}_for_subscriber": True for what in ("publish", "presence", "history")}
JOINS = {"presence": True, "join_leave": True, "force_push_join_leave": True}
CONFIGS = {
    "Go v0.10.4": {"client": {"insecure": True}},  # its tests want no history
    "Python 0.7.0": {"client": {"token": {"hmac_secret_key": "secret"}, "subscribe_to_user_personal_channel": {"enabled": True}},
               "channel": {"without_namespace": {**STREAM, **JOINS, **SUBSCRIBER},
                           "namespaces": [{"name": "example", **JOINS, **SUBSCRIBER, "history_size": 300, "history_ttl": "300s"},
                                          {"name": "smallhistory", "force_recovery": True, "history_size": 2, "history_ttl": "300s",
                                           "allow_publish_for_subscriber": True, "allow_history_for_subscriber": True}]}},
}
TEST_S = 600  # only what hangs needs as long
# In the namespace: brings up its loopback device, starts the server, waits for it, runs the tests, stops the server by its id.
INSIDE = """
ip link set lo up || exit 9
"$1" serve --config "$2" 2>"$3" & server=$!
for _ in $(seq 300); do curl -sf -o /dev/null http://localhost:8000/ready && break; sleep 0.05; done
shift 3; "$@"; code=$?
kill "$server"; wait "$server" || exit 8
exit "$code"
"""


def run(command, **options):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, timeout=TEST_S, **options).stdout


def go_tests(folder, version):
    """(command, folder) of the SDK for Go."""
    found = json.loads(run([shutil.which("go") or sys.exit("needs Go"), "mod", "download", "-json", f"{GO_MODULE}@{version}"], cwd=folder))
    shutil.copytree(found["Dir"], folder / "go", copy_function=shutil.copyfile)
    os.chmod(folder / "go", 0o755)
    run(["go", "test", "-c", "-o", folder / "go.test", "."], cwd=folder / "go")
    return [folder / "go.test", "-test.v"], folder / "go"


def python_tests(folder, version):
    """The same of the SDK for Python; ./dev test has put what it needs into build/venv."""
    venv = rig.HERE.parent / "build/venv/bin/python"
    run([venv, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder, f"centrifuge-python=={version}"])
    packed, = folder.glob("centrifuge*python-*.tar.gz")
    shutil.unpack_archive(packed, folder, filter="data")
    return [venv, "-m", "unittest", "-v"], packed.with_name(packed.name.removesuffix(".tar.gz"))


KINDS = {  # how to get the tests, and what their output says of how many there were
    "Go": (go_tests, lambda output: len(re.findall(r"^--- PASS: ", output, re.MULTILINE))),
    "Python": (python_tests, lambda output: int(re.search(r"^Ran (\d+) tests", output, re.MULTILINE)[1])),
}
failed = False
rows = []
for sdk, expected in CONFIGS.items():
    name, version = sdk.split()
    tests, count = KINDS[name]
    with tempfile.TemporaryDirectory(prefix="wirebird-test-") as temporary:
        folder = pathlib.Path(temporary)
        config, log = folder / "wirebird.toml", folder / "server.log"
        config.write_text(run([rig.BINARY, "import", "centrifugo", "-"], input=json.dumps(expected)))
        command, where = tests(folder, version)
        inside = ["unshare", "--net", *([] if os.getuid() == 0 else ["--map-root-user"]), "bash", "-c", INSIDE, "-", rig.BINARY, config, log]
        ended = subprocess.run([*inside, *command], cwd=where, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TEST_S)
        if ended.returncode != 0:
            failed = True
            print(ended.stdout[-20_000:], log.read_text()[-5_000:], sep="\n")
        rows.append((name, version, count(ended.stdout), "all passed" if ended.returncode == 0 else f"FAILED ({ended.returncode})"))
print("| SDK | version | tests | |\n|---|---|---|---|")
for row in rows:
    print("| " + " | ".join(map(str, row)) + " |")
sys.exit(failed)
