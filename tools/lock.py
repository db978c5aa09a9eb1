"""Writes the lock files anew: `make lock`.

The versions are the newest that `pyproject.toml` allows, for Python 3.11 and later on every
system, each with the digests of its wheels. The files name no place to fetch them from: pip
asks the index that its user has configured.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.environment import LOCKS, ROOT

UV = "uv==0.13.9"
HEADER = "# Made by 'make lock' from pyproject.toml. See docs/decisions/2026-11-24-lock-files.md.\n"


def main() -> None:
    """Write each lock file with the versions of the smaller one before it."""
    programs = ROOT / ".cache" / "lock" / "bin"
    _run([sys.executable, "-m", "venv", programs.parent])
    _run([programs / "pip", "install", "--quiet", UV])
    compile_command: list[str | Path] = [
        programs / "uv",
        *("pip", "compile", "pyproject.toml", "--quiet", "--upgrade"),
        *("--universal", "--python-version", "3.11", "--generate-hashes"),
        *("--only-binary", ":all:", "--no-header", "--no-annotate", "--no-emit-index-url"),
    ]
    runtime, *larger = locks = [ROOT / name for name in LOCKS.values()]
    _run([*compile_command, "--group", "build", "--extra", "signin", "--output-file", runtime])
    for lock, groups in zip(larger, (["dev"], ["dev", "bench"]), strict=True):
        chosen = [word for group in groups for word in ("--group", group)]
        _run([*compile_command, *chosen, "-c", locks[locks.index(lock) - 1], "-o", lock])
    for lock in locks:
        lock.write_text(HEADER + lock.read_text(encoding="utf-8"), encoding="utf-8")


def _run(command: list[str | Path]) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
