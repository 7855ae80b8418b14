#!/usr/bin/python3
"""The order of the rooms: each room includes only what docs/ARCHITECTURE.md allows, and no door includes another."""
import pathlib
import re
import subprocess
import sys

# Rooms below the waterline, and loop, name all they may include. The rooms above may use everything below the line
# and what stands before them in ABOVE.
ALLOWED = {
    "base": set(),
    "codec": {"base"},
    "http": {"base", "codec"},
    "ws": {"base", "codec", "http"},
    "hub": {"base"},
    "auth": {"base", "codec"},
    "door": {"base", "codec", "http", "ws", "hub", "auth"},
    "loop": {"base"},
    "store": {"base", "hub"},
}
PURE = ["base", "codec", "http", "ws", "hub", "auth", "door"]
ABOVE = ["loop", "store", "egress", "client", "server", "api", "app"]
# Above the line only the client has a pure part, and a public one that is installed without any of our headers.
CLIENT_CORE = "src/client/core/"
CLIENT_CORE_ROOMS = {"base", "codec", "http", "ws", "door", "hub"}
CLIENT_API = "client/include/wirebird/"

# The worker serves the HTTP API, so server and api may name each other's values.
MUTUAL = {("server", "api")}

# What the pure rooms must not include from the system: sockets, files, threads, locks, clocks.
IMPURE = re.compile(
    r"<(thread|mutex|shared_mutex|condition_variable|semaphore|barrier|latch|future|stop_token|fstream|iostream|filesystem"
    r"|random|ctime|time\.h|unistd\.h|fcntl\.h|poll\.h|pthread\.h|sys/.*|netinet/.*|arpa/.*|spdlog/.*)>")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|(<[^>]+>))')


def allowed(room):
    if room in ALLOWED:
        return ALLOWED[room] | {room}
    before = ABOVE[:ABOVE.index(room)] if room in ABOVE else ABOVE
    mutual = {b for a, b in MUTUAL if a == room}
    return set(PURE) | set(before) | mutual | {room}


def problems(root):
    files = subprocess.run(["git", "ls-files", "src/*.h", "src/*.cc", "src/*.inc", CLIENT_API + "*.h"], cwd=root,
                           check=True, capture_output=True, text=True).stdout.split()
    for name in files:
        path = pathlib.PurePosixPath(name)
        if len(path.parts) < 3 or not (root / name).exists():
            continue
        room = path.parts[1]
        core = name.startswith(CLIENT_CORE)
        is_test = re.search(r"_(test|fuzz|bench)\.cc$", name)
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            where = f"{name}:{number}"
            if name.startswith(CLIENT_API):
                if match[1] and not match[1].startswith("wirebird/") or match[2] and ("/" in match[2] or "." in match[2]):
                    yield f"{where}: a public header includes the standard library and wirebird/ only"
                continue
            if match[2]:
                if (room in PURE or core) and not is_test and IMPURE.match(match[2]):
                    yield f"{where}: {match[2]} does not belong below the waterline"
                continue
            parts = match[1].split("/")
            target = parts[0]
            if len(parts) == 1:
                yield f"{where}: write \"{room}/{match[1]}\""
            elif is_test:
                continue  # a test may build its world from any room and from sim/
            elif core and not (target in CLIENT_CORE_ROOMS or match[1].startswith("client/core/")):
                yield f"{where}: the core of the client may not include {match[1]}"
            elif target not in allowed(room):
                yield f"{where}: room {room} may not include {match[1]}"
            elif room == target == "door" and len(path.parts) > 3 and len(parts) > 2 and parts[1] != path.parts[2]:
                yield f"{where}: door {path.parts[2]} may not include door {parts[1]}"


def main():
    found = list(problems(pathlib.Path(__file__).resolve().parent.parent))
    print("\n".join(found) if found else "includes follow the order of the rooms")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
