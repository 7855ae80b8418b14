#!/usr/bin/python3
"""Writes docs/errors.md from src/base/error_list.inc; with --check says whether they are equal."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENTRY = re.compile(r'WIREBIRD_ERROR\((\w+), "(E_\w+)", (\d+), (\d+), "([^"]*)"\)')

HEAD = """# Errors

Every refusal has a code that never changes once released, and one sentence. Made by `tools/errors_doc.py` from
`src/base/error_list.inc`, which is the registry the server is built from; `./dev check` compares the two.

* **Before the upgrade** (any HTTP request): the HTTP status and `{"code":"E_...","message":"...","retry_after":seconds?}`. Behind the
  sentence of the table the message may say what exactly is wrong (`timeout: 1 to 60 (seconds)`); programs look at `code` only.
* **On an open WebSocket**: the close code, and the reason `E_... sentence` (cut to 123 bytes).
* **On an envelope connection**, where nothing needs to close: `{"channel":"...","error":{"code":"E_...","message":"..."}}`.

A client that reconnects by itself should stop on 4401 and 4403: trying again does not help. On 1012, 1013, 4408, 4429 and 4503 it
should come back later, with its cursor.
"""


def registry():
    """[(section, [(code, http, close, text)])] in the order of the file."""
    sections = []
    for line in (ROOT / "src/base/error_list.inc").read_text(encoding="utf-8").splitlines():
        if match := ENTRY.match(line):
            sections[-1][1].append(match.groups()[1:])
        elif line.startswith("// ") and not line.startswith("// name,"):
            sections.append((line[3:].rstrip("."), []))
        elif "WIREBIRD_ERROR(" in line and not line.startswith("//"):
            sys.exit(f"an entry that this tool cannot read: {line}")
    return sections


def document():
    lines = [HEAD]
    for title, entries in registry():
        lines += [f"## {title}", "", "| code | HTTP | close | sentence |", "|---|---|---|---|"]
        lines += [f"| `{code}` | {http} | {close} | {text} |" for code, http, close, text in entries]
        lines.append("")
    return "\n".join(lines)


def main():
    path = ROOT / "docs/errors.md"
    if "--check" not in sys.argv:
        path.write_text(document(), encoding="utf-8")
        return 0
    if path.read_text(encoding="utf-8") == document():
        print("docs/errors.md equals the registry")
        return 0
    print("docs/errors.md differs from src/base/error_list.inc: run tools/errors_doc.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
