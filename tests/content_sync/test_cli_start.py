"""The command line answers at once: what it imports is counted, not timed."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"pelican", "whoosh", "boto3", "botocore", "pyodbc", "jinja2", "orjson", "sqlite3", "tqdm"}
OWN = {"content_sync", "content_sync.cli", "content_sync.errors"}
MOST = 200
"""Modules in all; Click and the standard library that it needs are some 110."""


def test_help_imports_nothing_that_a_step_needs() -> None:
    code = "import json, sys; import content_sync.cli; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-I", "-c", code]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    modules = set(json.loads(answer.stdout))
    assert not modules & HEAVY
    assert {name for name in modules if name.startswith("content_sync")} == OWN
    assert not any(name.startswith("search") for name in modules)
    assert len(modules) < MOST
