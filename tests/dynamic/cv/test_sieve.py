"""The script of the CV book, run by Node."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.mark.needs("node")
def test_the_sieve_of_the_cv_book(tmp_path: Path) -> None:
    script = Path(__file__).parent / "cvbook.test.mjs"
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 2" in done.stdout
