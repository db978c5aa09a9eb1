"""The plotting library, without what it leaves behind."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any


@cache
def load_pygal() -> Any:
    """Return pygal, which is slow to import, and many a night draws nothing."""
    import pygal
    import pygal.style

    # Its finder of plugins has no find_spec, which Python 3.11 warns of at each later import.
    sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "pygal"]
    return pygal
