"""Keep the service's process small: on Linux's C library, nothing elsewhere.

Each thread would get a heap of its own, and what one of them freed would stay with it; twenty
CVs at once then cost 20 MB more (benchmarks/cv_memory.py).
"""

from __future__ import annotations

import ctypes
import gc
import sys

_M_ARENA_MAX = -8


def share_one_heap() -> None:
    """Make all threads that are still to come share one heap."""
    if mallopt := _from_c("mallopt"):
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give memory that is free back to the system: after starting, after loading much."""
    gc.collect()
    gc.freeze()  # programs stay: nobody need look through them again
    if malloc_trim := _from_c("malloc_trim"):
        malloc_trim(0)


def _from_c(name: str) -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)
