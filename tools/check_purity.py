#!/usr/bin/python3
"""Purity below the waterline. Usage: check_purity.py BUILD_FOLDER

Lists the undefined symbols of the object files of the pure rooms against an allow-list (so no sockets, files, threads,
locks, clocks), and refuses objects that can be written to: any symbol in .data, .bss or a thread-local section.
"""
import pathlib
import re
import subprocess
import sys

PURE = ["base", "codec", "http", "ws", "hub", "auth", "door"]

ALLOWED = [re.compile(pattern) for pattern in [
    # Our own rooms below the line; who may name whom is check_includes.py's affair.
    r"(typeinfo for |typeinfo name for |vtable for |VTT for |guard variable for |non-virtual thunk to )?"
    r"(" + "|".join(PURE) + r")::",
    r".*\b(" + "|".join(PURE) + r")::.*",  # std templates made for our types
    # The language.
    r"operator (new|delete)", r"__cxa_(?!thread_atexit)", r"__gxx_personality_v0$", r"_Unwind_Resume$", r"__stack_chk_fail$",
    r"_GLOBAL_OFFSET_TABLE_$", r"__dso_handle$", r"(vtable|typeinfo) for (__cxxabiv1::|std::)", r"__dynamic_cast$",
    # Values of the standard library: no streams but string streams, no clocks, no threads.
    r"std::__throw_", r"std::__glibcxx_assert_fail", r"std::terminate\(", r"std::(nothrow|bad_)", r"std::exception::",
    r"std::(logic_error|runtime_error|length_error|out_of_range|invalid_argument|bad_alloc|bad_function_call)::",
    r"std::__cxx11::(basic_string|basic_stringbuf|basic_ostringstream)", r"std::_Rb_tree_(in|de)crement",
    r"std::_Rb_tree_insert_and_rebalance", r"std::_Rb_tree_rebalance_for_erase", r"std::__detail::_Prime_rehash_policy",
    r"std::__detail::_List_node_base", r"std::_Hash_bytes", r"std::(to|from)_chars", r"std::uncaught_exception",
    r"std::_Sp_make_shared_tag", r"std::_Sp_counted", r"std::__shared_", r"std::rethrow_exception",
    r"std::pmr::", r"std::__exception_ptr::",
    # The C library's pure part.
    r"(mem(cpy|move|set|cmp|chr|rchr|mem)|str(len|cmp|ncmp|chr|rchr|tol|toll|toul|toull|tod|tof|nlen)|bcmp|explicit_bzero"
    r"|malloc|calloc|realloc|free|aligned_alloc|posix_memalign|abort|__(mem\w+|str\w+)_chk|__isoc99_strto\w+|__errno_location"
    r"|__libc_single_threaded|__cpu_model|__cpu_indicator_init|l?ldiv|l?div|lrint|fmod|floor|ceil|round|pow|log|log2|exp)$",
    # gmtime_r and timegm only compute.
    r"(gmtime_r|timegm)$",
    # Libraries allowed by name (docs/dependencies.md): each only computes.
    r"(inflate|deflate|crc32|adler32|zlibVersion)\w*$", r"libdeflate_\w+$", r"XXH\w+$", r"simdjson::", r".*simdjson::.*",
    r"(EVP_\w+|HMAC\w*|SHA1|SHA256|CRYPTO_memcmp|OPENSSL_cleanse)$", r"fmt::", r".*fmt::v\d+::.*", r"boost::beast::",
    # Public keys from their bytes; the marks take what a refused one leaves in the thread's queue of errors out again.
    r"(d2i_PUBKEY|d2i_PublicKey|OSSL_PARAM_construct_\w+|ERR_set_mark|ERR_pop_to_mark)$",
]]

# base::assert_failed prints and aborts: the one place below the line that writes anything (house failure class 4).
EXCEPTIONS = {"assert.cc.o": re.compile(r"(fprintf|__fprintf_chk|fputs|fwrite|fflush|stderr|dprintf)$")}

WRITABLE = re.compile(r"^(\.data(?!\.rel\.ro|\.rel\.local\.DW)|\.bss|\.tdata|\.tbss|\*COM\*)")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def problems(build):
    seen = 0
    for room in PURE:
        for path in sorted(build.glob(f"src/{room}/**/CMakeFiles/wb_{room}*.dir/**/*.o")):
            seen += 1
            name = f"{room}/{path.name}"
            exception = EXCEPTIONS.get(path.name)
            for line in output("nm", "-uC", str(path)).splitlines():
                symbol = line.strip().split(" ", 1)[1].strip()
                if exception and exception.match(symbol):
                    continue
                if not any(pattern.match(symbol) for pattern in ALLOWED):
                    yield f"{name}: uses {symbol}"
            for line in output("objdump", "-tC", str(path)).splitlines():
                # 0000000000000000 l     O .bss	0000000000000008 name
                match = re.match(r"^[0-9a-f]+ .{7} (\S+)\t([0-9a-f]+) +(.*)$", line)
                if match and WRITABLE.match(match[1]) and int(match[2], 16) > 0:
                    yield f"{name}: {match[3]} in {match[1]} can be written to"
    if seen == 0:
        yield f"no object files of the pure rooms under {build}"


def main():
    found = list(problems(pathlib.Path(sys.argv[1]).resolve()))
    print("\n".join(found) if found else "the pure rooms are pure")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
