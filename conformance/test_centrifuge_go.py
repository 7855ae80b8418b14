"""The official Go SDK of the Centrifuge protocol (go/go.mod), unmodified, in JSON and in Protobuf: go/sdk_test.go."""
import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import rig
import tokens
from test_centrifuge_python import API_KEY, CONFIG

FOLDER = rig.HERE / "go"
GO = shutil.which("go")
MODULES_S, TESTS_S = 120, 300  # only what hangs needs as long


def why_not():
    """Why the SDK cannot be had; None: it is here."""
    if not GO:
        return "needs Go"
    try:
        fetched = subprocess.run([GO, "mod", "download"], cwd=FOLDER, capture_output=True, text=True, timeout=MODULES_S)
    except subprocess.TimeoutExpired:
        return "the modules of go/go.mod did not come in time"
    return None if fetched.returncode == 0 else f"the modules of go/go.mod cannot be had: {fetched.stderr.strip()}"


class Sdk(rig.ServerTest):
    options = {"dev": False, "config": CONFIG}

    def test_all(self):
        described = {"port": self.server.port, "admin": self.server.admin_port, "token_key": tokens.KEY, "api_key": API_KEY}
        run = subprocess.run([GO, "test", "-mod=readonly", "-count=1", "-v", "."], cwd=FOLDER, capture_output=True, text=True, timeout=TESTS_S,
                             env={**os.environ, "CENTRIFUGE_RIG": json.dumps(described)})
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        passed = re.findall(r"^ *--- PASS: (\S+/\S+)", run.stdout, re.MULTILINE)
        self.assertEqual(len(passed), 2 * len(re.findall(r"^func Test[A-Z]\w*\(t ", (FOLDER / "sdk_test.go").read_text(), re.MULTILINE)), run.stdout)


if __name__ == "__main__":
    if reason := why_not():
        print(f"skipped: {reason}", file=sys.stderr)
        Sdk = unittest.skip(reason)(Sdk)
    rig.main()
