"""Kill the service in mid-upload, 200 times: nothing half-done, nothing acknowledged is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TITLE = "the service killed while CVs arrive"
FULL = 200
_ROOT = Path(__file__).resolve().parents[2]


def run(scale: float) -> dict[str, int | float | str]:
    """Run the test of that name with more kills; it fails if anything is lost or left over."""
    kills = max(1, round(FULL * scale))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            "tests/dynamic/cv/test_faults.py::"
            "test_a_process_killed_in_mid_upload_leaves_nothing_half_done",
        ],
        cwd=_ROOT,
        env={**os.environ, "NIGHTPRESS_KILLS": str(kills)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return {"kills": kills, "half-done": 0, "acknowledged and lost": 0}
