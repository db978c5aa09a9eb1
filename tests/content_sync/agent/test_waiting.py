"""The agent's child that waits with the program loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from content_sync.agent.waiting import Waiting
from tests.content_sync.agent.conftest import wait_for


def said(waiting: Waiting, log: Path, *arguments: str) -> tuple[int, str]:
    code = waiting.run(arguments, log, {"NIGHTPRESS_SITENAME": "x"}).wait(60)
    return code, log.read_text("utf-8")


def test_a_child_that_waited_says_what_a_new_one_says(tmp_path: Path) -> None:
    with closing(Waiting(tmp_path)) as waiting:
        new = said(waiting, tmp_path / "new.log", "init", "one")
        waiting.prepare()
        waited = said(waiting, tmp_path / "waited.log", "init", "two")
        assert waited == (new[0], new[1].replace("one", "two"))
        assert new[0] == 0
        assert (tmp_path / "two/pelicanconf.py").is_file()
        waiting.prepare()
        code, told = said(waiting, tmp_path / "wrong.log", "init", "two")
        assert code != 0
        assert "two" in told


def test_a_child_leaves_when_its_agent_is_gone(tmp_path: Path) -> None:
    agent = (
        "import os; from pathlib import Path; from content_sync.agent.waiting import Waiting\n"
        "w = Waiting(Path.cwd()); w.prepare(); print(w._child.pid, flush=True); os._exit(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", agent],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    child = Path("/proc", done.stdout.strip())
    wait_for(lambda: not child.exists() or "State:\tZ" in (child / "status").read_text())


def test_a_build_is_started_though_no_child_waits_any_more(tmp_path: Path) -> None:
    with closing(Waiting(tmp_path)) as waiting:
        waiting.prepare()
        assert waiting._child is not None
        waiting._child.kill()
        waiting._child.wait()
        assert said(waiting, tmp_path / "log", "init", "site")[0] == 0
