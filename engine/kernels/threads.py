"""Threads for kernels that hold no lock, where the work is worth them."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

WORTH_SHARING = 100_000
"""Numbers below which threads cost more than they bring: half a millisecond of work."""
_MOST_THREADS = 8

Span = tuple[int, int]


def shared(work: Callable[[Span], None], n: int, *, is_alone: bool) -> None:
    """Do `work` on spans that cover 0 to `n`, each in a thread of its own, the last in this one.

    Notes
    -----
    Plain threads around kernels that hold no lock: numba's own have a layer that ends the process when two callers
    meet in it, and which layer there is depends on what is installed.
    """
    n_parts = 1 if is_alone else max(1, min(n_threads(), n))
    edges = [n * i // n_parts for i in range(n_parts + 1)]
    spans = list(pairwise(edges))
    waiting = [_threads().submit(work, span) for span in spans[:-1]]
    work(spans[-1])
    for one in waiting:
        one.result()


@cache
def n_threads() -> int:
    """Return how many processors this process may use, at most eight."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(_MOST_THREADS, usable or 1)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, n_threads() - 1), thread_name_prefix="kernels")
