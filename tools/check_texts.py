#!/usr/bin/python3
"""No committed text names a user's folder, a private registry or a host that only one machine knows."""
import pathlib
import re
import subprocess
import sys

FORBIDDEN = [
    (re.compile(r"/(home|Users)/[A-Za-z0-9_.-]+/"), "a user's folder"),
    (re.compile(r"(?<![\w.])/(root|work)/"), "a folder of one machine"),
    (re.compile(r"\"resolved\"\s*:\s*\"http"), "a registry address in a lock file"),
    (re.compile(r"https?://[^/\s\"']*(registry|artifactory|nexus|mirror|pypi|proxy\.golang)[^\s\"']*"), "a registry host"),
    (re.compile(r"https?://[^/\s\"']*\.(internal|corp|lan)\b"), "a private host"),
]
SKIPPED_FOLDERS = ("corpus/",)  # bytes for the fuzzers, not texts
SKIPPED_FILES = {"tools/check_texts.py"}


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    names = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    found = []
    for name in filter(None, names.split("\0")):
        path = root / name
        if name.startswith(SKIPPED_FOLDERS) or name in SKIPPED_FILES or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{name}:{number}: {what}: {match[0]}" for pattern, what in FORBIDDEN if (match := pattern.search(line))]
    print("\n".join(found) if found else "no text names a private place")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
