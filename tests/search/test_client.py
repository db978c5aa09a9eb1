"""The search page's modules that touch no page pass their own tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("node")

TESTS = sorted((Path(__file__).parent / "client").glob("*.test.mjs"))


@pytest.mark.parametrize("module", TESTS, ids=lambda path: path.name)
def test_the_module_passes_its_tests(module: Path) -> None:
    done = subprocess.run(
        ["node", "--test", str(module)], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
