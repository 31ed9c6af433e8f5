"""How many heaps the threads of a process have, counted by the C library itself."""

import ctypes
import os
import subprocess
import sys

import pytest

COUNTED = """
import ctypes, sys, tempfile, threading
from engine.bootstrap.heap import share_heap

if sys.argv[1] == "shared":
    assert share_heap()
ready, done = threading.Barrier(5), threading.Event()

def hold():
    kept = ctypes.create_string_buffer(100_000)
    ready.wait()
    done.wait()
    del kept

threads = [threading.Thread(target=hold) for _ in range(4)]
for thread in threads:
    thread.start()
ready.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    stream = libc.fopen(told.name.encode(), b"w")
    libc.malloc_info(0, ctypes.c_void_p(stream))
    libc.fclose(ctypes.c_void_p(stream))
    print(told.read().count(b"<heap nr="))
done.set()
"""


def heaps(how: str) -> int:
    environment = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"}
    found = subprocess.run(
        [sys.executable, "-c", COUNTED, how],
        capture_output=True, text=True, check=True, timeout=120, env=environment,
    )  # fmt: skip
    return int(found.stdout)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"),
    reason="another C library than GNU's",
)
def test_threads_get_no_heaps_of_their_own_and_without_it_each_has_one():
    shared, apart = heaps("shared"), heaps("apart")
    assert apart >= 4
    assert shared <= apart - 3  # a library may have had a thread, and its heap, before
