#!/usr/bin/python3
"""README.zh.md keeps up with README.md: the same headings in the same order, the same commands and programs, the same
number of rows in each table, the same links."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def parts(name):
    found = {"levels of the headings": [], "code blocks": [], "table rows": [], "links": []}
    block = None
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if block is not None:
            block.append(line)
            if line.startswith("```"):
                # Comments and sentences inside a program may be translated; what a machine reads may not.
                found["code blocks"].append("\n".join(re.sub(r"\s*//.*", "", l) for l in block))
                block = None
        elif line.startswith("```"):
            block = [line]
        elif line.startswith("#"):
            found["levels of the headings"].append(line.split(" ")[0])
        else:
            if line.startswith("|"):
                found["table rows"].append(line.count("|"))
            found["links"] += re.findall(r"\]\(([^)]+)\)", line)
    # Each README links to the other one.
    found["links"] = ["README" if link.startswith("README") else link for link in found["links"]]
    return found


def main():
    english, chinese = parts("README.md"), parts("README.zh.md")
    wrong = [kind for kind in english if english[kind] != chinese[kind]]
    for kind in wrong:
        print(f"README.md and README.zh.md differ in: {kind}")
        for a, b in zip(english[kind], chinese[kind]):
            if a != b:
                print(f"  {a!r}\n  {b!r}")
                break
        else:
            print(f"  {len(english[kind])} against {len(chinese[kind])}")
    if not wrong:
        print("README.zh.md has the headings, commands, tables and links of README.md")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
