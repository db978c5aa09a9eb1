"""Send 10,000 hostile forms and files to the pages for CVs: no defect, nothing run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TITLE = "hostile input to the pages for CVs"
FULL = 10_000
_ROOT = Path(__file__).resolve().parents[2]


def run(scale: float) -> dict[str, int | float | str]:
    """Run the fuzzing test with more inputs; it fails at the first answer of 500 or above."""
    inputs = max(10, round(FULL * scale))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "sqlite"),
            "tests/dynamic/cv/test_fuzz.py::test_nothing_that_is_sent_is_a_defect",
        ],
        cwd=_ROOT,
        env={**os.environ, "NIGHTPRESS_FUZZ": str(inputs)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return {"inputs": inputs, "answers of 500 or above": 0}
