#!/usr/bin/python3
"""The C++ client library as its users get it: built alone, installed, found by CMake and pkg-config from a project outside
of this tree, static and shared; and nothing of our rooms to be seen in it.

CLIENT_BUILD names a folder that may be kept from run to run.
"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("CLIENT_BUILD") or ROOT / "build/client_package").resolve()
WARNINGS = "-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Werror"

# A program with rooms of its own, whose names are ours.
COLLIDING = """
#include <wirebird/client.h>
#include <cstdio>
namespace base { struct Entropy { virtual ~Entropy() = default; virtual int next() { return 7; } }; }
namespace http { struct ResponseReader { virtual ~ResponseReader() = default; int bytes[64] = {}; }; }
int main() {
  base::Entropy entropy;
  http::ResponseReader reader;
  auto client = wirebird::Client::create("ws://127.0.0.1:9");
  (*client)->connect();
  const auto failed = (*client)->publish("a", "{").get();
  std::printf("%d %u %d\\n", entropy.next(), failed.error().code, reader.bytes[0]);
}
"""


def run(*command, cwd=None, env=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout[-8000:]}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prefixes = {}
        for kind, shared in (("static", "OFF"), ("shared", "ON")):
            build = BUILD / kind
            cls.prefixes[kind] = BUILD / f"{kind}-prefix"
            shutil.rmtree(cls.prefixes[kind], ignore_errors=True)
            run("cmake", "-S", ROOT / "client", "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                f"-DBUILD_SHARED_LIBS={shared}")
            run("cmake", "--build", build, "-j", "2")
            run("cmake", "--install", build, "--prefix", cls.prefixes[kind])

    def library(self, kind):
        found = list((self.prefixes[kind]).rglob("libwirebird-client.a" if kind == "static" else "libwirebird-client.so"))
        self.assertEqual(len(found), 1)
        return found[0]

    def test_the_example_outside_of_the_tree(self):
        for kind, prefix in self.prefixes.items():
            for compiler in ("c++", "clang++-19"):
                if not shutil.which(compiler):
                    continue
                with self.subTest(kind=kind, compiler=compiler), tempfile.TemporaryDirectory() as folder:
                    shutil.copytree(ROOT / "examples/cpp-client", folder, dirs_exist_ok=True)
                    run("cmake", "-S", folder, "-B", f"{folder}/build", f"-DCMAKE_PREFIX_PATH={prefix}",
                        f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_CXX_FLAGS={WARNINGS}")
                    run("cmake", "--build", f"{folder}/build")
                    usage = subprocess.run([f"{folder}/build/chat"], capture_output=True, text=True)
                    self.assertEqual((usage.returncode, usage.stderr), (2, "usage: chat URL CHANNEL [TOKEN]\n"))
                    wrong = subprocess.run([f"{folder}/build/chat", "ftp://x", "a"], capture_output=True, text=True)
                    self.assertEqual((wrong.returncode, wrong.stderr),
                                     (2, "The URL starts with http, https, ws, wss or unix.\n"))

    def test_every_header_alone_in_cpp17(self):
        include = self.prefixes["static"] / "include"
        headers = sorted(path.name for path in (include / "wirebird").iterdir())
        self.assertEqual(headers, sorted(path.name for path in (ROOT / "client/include/wirebird").iterdir()))
        for header in headers:
            with self.subTest(header=header), tempfile.NamedTemporaryFile("w", suffix=".cc") as source:
                source.write(f"#include <wirebird/{header}>\n")
                source.flush()
                run("c++", "-std=c++17", "-fsyntax-only", *WARNINGS.split(), "-I", include, source.name)

    def test_pkg_config_and_names_of_ours_in_a_program(self):
        prefix = self.prefixes["static"]
        environment = os.environ | {"PKG_CONFIG_PATH": str(next(prefix.rglob("wirebird-client.pc")).parent)}
        flags = run("pkg-config", "--static", "--cflags", "--libs", "wirebird-client", env=environment).split()
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "main.cc")
            source.write_text(COLLIDING)
            run("c++", "-std=c++17", source, "-o", f"{folder}/main", *flags)
            self.assertEqual(run(f"{folder}/main"), "7 20 0\n")

    def test_shows_nothing_but_itself(self):
        for kind, option in (("static", "--extern-only"), ("shared", "--dynamic")):
            with self.subTest(kind=kind):
                symbols = run("nm", "-C", "--defined-only", option, self.library(kind))
                ours = re.compile(r"^[0-9a-f]+ \S (?:.*?[ (<])?(base|codec|http|ws|door|loop|client)::", re.MULTILINE)
                self.assertEqual([match[0][:200] for match in ours.finditer(symbols)], [])
                self.assertIn("wirebird::Client::connect()", symbols)

    def test_needs_openssl_and_zlib_only(self):
        needed = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", self.library("shared")))
        allowed = {"libssl.so.3", "libcrypto.so.3", "libz.so.1", "libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6",
                   "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
        self.assertLessEqual(set(needed), allowed)


if __name__ == "__main__":
    unittest.main()
