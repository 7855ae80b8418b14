#!/usr/bin/python3
"""Every header compiles alone, with the flags of the compile database. Usage: check_headers.py BUILD_FOLDER"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def flags_by_folder(build):
    """The include paths, definitions and warnings of one source file of each folder, and of one of each room."""
    flags = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.PurePath(command["file"])
        words = shlex.split(command["command"])
        compiler = next(i for i, word in enumerate(words) if "++" in os.path.basename(word))
        kept, i = [words[compiler]], compiler + 1
        while i < len(words):
            if words[i] in ("-o", "-c"):
                i += 2
                continue
            kept.append(words[i])
            i += 1
        for folder in (file.parent, *file.parent.parents):
            flags.setdefault(folder, (kept, command["directory"]))
    return flags


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    build = root / sys.argv[1]
    flags = flags_by_folder(build)
    headers = subprocess.run(["git", "ls-files", "src/*.h", "sim/*.h"], cwd=root, check=True, capture_output=True,
                             text=True).stdout.split()

    def compile_alone(header):
        path = root / header
        if not path.exists():
            return None
        command, directory = next(flags[folder] for folder in path.parents if folder in flags)
        # Included, not compiled as the main file: "#pragma once in main file" would be an error.
        run = subprocess.run(command + ["-fsyntax-only", "-x", "c++", "-"], cwd=directory, text=True,
                             input=f'#include "{path}"\n', capture_output=True)
        return None if run.returncode == 0 else f"{header}:\n{run.stderr}"

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [text for text in pool.map(compile_alone, headers) if text]
    print("\n".join(failed) if failed else f"{len(headers)} headers compile alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
