"""The command line answers at once: what it imports is counted, not timed."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"pelican", "whoosh", "boto3", "botocore", "pyodbc", "jinja2", "orjson", "sqlite3", "tqdm"}
OWN = {f"content_sync.{name}" for name in ("cli", "commandline", "errors", "steps", "summary")}
"""Beside modules that only declare commands, and the packages that they stand in."""
PACKAGES = {"content_sync", "search", "dynamic", "deploy"}
MOST = 200
"""Modules in all; Click and the standard library that it needs are some 110."""


def test_help_imports_nothing_that_a_step_needs() -> None:
    code = "import json, sys; import content_sync.cli; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-I", "-c", code]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    modules = set(json.loads(answer.stdout))
    assert not modules & HEAVY
    ours = {name for name in modules if name.split(".")[0] in PACKAGES}
    commands = {name for name in ours if name.endswith(".commands")}
    around = {name.rsplit(".", depth)[0] for name in commands | OWN for depth in (1, 2)}
    assert ours <= commands | OWN | around
    assert len(modules) < MOST
