"""Our delta code and npm's fossil-delta take each other's deltas, and refuse the same damage."""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

HERE = pathlib.Path(__file__).parent
NODE = shutil.which("node")


@unittest.skipUnless(NODE and (HERE / "node_modules/fossil-delta").is_dir(), "needs Node.js and the packages of conformance/package-lock.json")
class Delta(unittest.TestCase):
    def test_both_directions(self):
        run = subprocess.run([NODE, str(HERE / "delta_referee.mjs"), os.environ["DELTA_TOOL"], "4000", "1"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        totals = json.loads(run.stdout)
        self.assertEqual((totals["pairs"], totals["damaged"]), (4000, 4000))
        self.assertGreater(totals["damaged_taken"], 20)  # or the damage was always the same kind
        # As small as theirs, and whole code points cost little.
        self.assertLess(totals["ours"], totals["theirs"] * 1.02)
        self.assertLess(totals["ours_text"], totals["ours"] * 1.05)


if __name__ == "__main__":
    unittest.main()
