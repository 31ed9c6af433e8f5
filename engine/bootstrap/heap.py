"""One heap for all threads of the process, and what is free in it given back.

The C library of most Linux systems gives each thread a heap of its own, and what one thread frees in its own heap no
other can use. Of a dozen threads that mostly wait for each other, that is a few tens of megabytes for nothing.
"""

import ctypes
import os
import sys

_M_ARENA_MAX = -8


def share_heap() -> bool:
    """Let all threads that start from now on allocate from one heap; return whether the C library does so.

    Call it before there are threads. A MALLOC_ARENA_MAX in the environment is obeyed instead.

    References
    ----------
    mallopt(3), M_ARENA_MAX.
    """
    if sys.platform != "linux" or "MALLOC_ARENA_MAX" in os.environ:
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # another C library has none
    return mallopt is not None and bool(mallopt(_M_ARENA_MAX, 1))


def give_back() -> bool:
    """Give free memory back to the system; return whether there was any, False where the C library can't.

    References
    ----------
    malloc_trim(3).
    """
    if sys.platform != "linux":
        return False
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # another C library has none
    return trim is not None and bool(trim(0))
