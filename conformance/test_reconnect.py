"""The promise over real sockets: cut and resume at random over all doors, judged from the clients' logs by checker.py."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import rig

RECONNECTS = int(os.environ.get("RECONNECTS", "3000"))  # in each of the two runs
SEED = os.environ.get("SEED", "1")
HISTORY_OF_ALL = ("--channels-history-messages-max=10000000", "--channels-history-bytes-max=1GiB", "--limits-history-bytes-total-max=2GiB")
SHORT_HISTORY = ("--channels-history-messages-max=50", "--channels-history-age-max=1s")


def drive(server, folder, *arguments):
    subprocess.run([sys.executable, str(rig.HERE / "reconnect.py"), "--port", str(server.port), "--folder", folder,
                    "--reconnects", str(RECONNECTS), "--seed", SEED, *arguments], check=True)


def check(folder, *arguments):
    run = subprocess.run([sys.executable, str(rig.HERE / "checker.py"), folder, *arguments], stdout=subprocess.PIPE, text=True)
    return run.returncode, json.loads(run.stdout)


class Reconnect(unittest.TestCase):
    def run_one(self, server_arguments, drive_arguments, check_arguments):
        with tempfile.TemporaryDirectory(prefix="wirebird-logs-") as folder:
            with rig.Server("--workers", "2", *server_arguments) as server:
                drive(server, folder, *drive_arguments)
            code, verdict = check(folder, *check_arguments)
            print(json.dumps(verdict), file=sys.stderr)
            self.assertEqual(verdict["problems"], [])
            self.assertEqual(code, 0)
            self.assertGreaterEqual(verdict["reconnects"], RECONNECTS * 0.8)
            self.doctored(pathlib.Path(folder), check_arguments)
            return verdict

    def test_history_larger_than_everything(self):
        verdict = self.run_one(HISTORY_OF_ALL, (), ())
        self.assertEqual(verdict["gap"], 0)

    def test_history_of_50_messages_and_1_second(self):
        verdict = self.run_one(SHORT_HISTORY, ("--slow-channels", "2"), ("--history", "50", "--age-ms", "1000"))
        self.assertGreater(verdict["gap"], RECONNECTS // 20)
        self.assertGreater(verdict["recovered"], RECONNECTS // 20)
        self.assertLess(verdict["either"], RECONNECTS // 5)

    def doctored(self, folder, check_arguments):
        """The checker finds what was falsified: it is no use if it cannot say no."""
        path = sorted(folder.glob("client-*.jsonl"))[0]
        original = path.read_text().splitlines()
        records = [json.loads(line) for line in original]
        messages = [i for i in range(1, len(records)) if "message" in records[i] and "message" in records[i - 1]]
        middle = messages[len(messages) // 2]

        def changed(i, **values):
            return original[:i] + [json.dumps({**records[i], **values})] + original[i + 1:]

        falsified = {
            "a lost message": original[:middle] + original[middle + 1:],
            "a doubled message": original[:middle] + original[middle:middle + 1] + original[middle:],
            "two messages in the wrong order": original[:middle - 1] + [original[middle], original[middle - 1]] + original[middle + 1:],
            "another payload": changed(middle, payload=records[middle]["payload"] + 1),
            "another epoch": changed(middle, epoch="aaaaaaaa"),
            "a gap where none was": original[:middle] + [json.dumps({
                "gap": {"from": records[middle]["message"], "to": records[middle]["message"], "reason": "expired"},
                "position": f"{records[middle]['epoch']}:{records[middle]['message']}", "at": records[middle]["at"]})] + original[middle + 1:],
            "a client that stopped early": original[:-1],
        }
        for what, text in falsified.items():
            path.write_text("\n".join(text) + "\n")
            self.assertEqual(check(str(folder), *check_arguments)[0], 1, f"the checker did not find {what}")
        path.write_text("\n".join(original) + "\n")


if __name__ == "__main__":
    rig.main()
