"""Syncs killed at any instant, and images of the disk taken while they land.

Each round changes a source, starts a sync in a process of its own and ends it with SIGKILL
after a random time; every third round it is stopped instead, the snapshot is copied with its
journal as a power cut would leave them, and it goes on. Whatever is found must be the state
before or the state after, whole; a sync that runs to its end must find the source's.
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import closing
from importlib import resources
from pathlib import Path

TITLE = "syncs killed at any instant leave the old snapshot or the new one"

ROUNDS = 400
_ROWS = 2_000
_CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from content_sync.settings import Settings
    from content_sync.sync import sync
    site, source = sys.argv[1:]
    settings = Settings(site=Path(site), source=source, guard_changed_share=1)
    sync(settings, progress=lambda step, done, total: print(step, flush=True))
    """
)


def run(scale: float) -> dict[str, int | float | str]:
    """Kill syncs for `scale` of the full number of rounds; return what was found."""
    if sys.platform == "win32":
        return {"rounds": 0}
    rounds = max(3, round(ROUNDS * scale))
    chance = random.Random(20)  # noqa: S311 - to kill at other moments, not to be secret
    with tempfile.TemporaryDirectory(prefix="nightpress-soak-") as folder:
        return _run(Path(folder), rounds, chance)


def _run(root: Path, rounds: int, chance: random.Random) -> dict[str, int | float | str]:
    source, site = root / "source.sqlite", root / "site"
    snapshot = site / "var" / "snapshot.sqlite"
    _make(source)
    _sync_to_the_end(site, source)
    assert _state(snapshot) == 0
    found = {"old": 0, "new": 0, "images": 0}
    state = 0
    span = 0.6  # seconds in which a sync is at work; learned from those that end by themselves
    for number in range(1, rounds + 1):
        _change(source, number)
        child = _start(site, source)
        assert child.stdout
        child.stdout.readline()  # it has begun to read
        began = time.monotonic()
        time.sleep(chance.uniform(0, span))
        if number % 3 == 0 and child.poll() is None:
            child.send_signal(signal.SIGSTOP)
            image = _image(snapshot, root / "image")
            child.send_signal(signal.SIGCONT)
            assert _state(image) in (state, number), f"round {number}: an image of no state"
            found["images"] += 1
            child.communicate()
            span = 0.7 * span + 0.3 * (time.monotonic() - began)
        else:
            child.send_signal(signal.SIGKILL)
            child.communicate()
        now = _state(snapshot)
        assert now in (state, number), f"round {number}: state {now} after {state}"
        found["new" if now == number else "old"] += 1
        state = now
    _sync_to_the_end(site, source)
    assert _state(snapshot) == rounds, "the last sync did not finish the work"
    left = {path.name for path in snapshot.parent.iterdir()}
    assert left == {"snapshot.sqlite", "source-report.json"}, left
    return {"rounds": rounds, **found}


def _make(source: Path) -> None:
    text = resources.files("content_sync.source").joinpath("sql/contract.sqlite.sql")
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.executescript(text.read_text("utf-8"))
        for table, name in (("publications", "title"), ("venues", "name")):
            connection.executemany(
                f"INSERT INTO {table} (id, {name}) VALUES (?, 'State 0')",  # noqa: S608
                ((f"r{number}",) for number in range(_ROWS)),
            )


def _change(source: Path, number: int) -> None:
    with closing(sqlite3.connect(source)) as connection, connection:
        for table, name in (("publications", "title"), ("venues", "name")):
            connection.execute(
                f"UPDATE {table} SET {name} = ?, version = ?",  # noqa: S608
                (f"State {number}", number + 1),
            )


def _start(site: Path, source: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(site), f"sqlite:///{source}"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


def _sync_to_the_end(site: Path, source: Path) -> None:
    child = _start(site, source)
    child.communicate()
    assert child.returncode == 0, "a sync that was left alone failed"


def _image(snapshot: Path, folder: Path) -> Path:
    """Copy the snapshot and its journal, as the disk has them at this moment."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in (snapshot.name, f"{snapshot.name}-journal"):
        if snapshot.with_name(name).exists():
            shutil.copy(snapshot.with_name(name), folder / name)
    return folder / snapshot.name


def _state(snapshot: Path) -> int:
    """Return the one state that all rows of a sound snapshot have."""
    with closing(sqlite3.connect(snapshot)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        states = connection.execute(
            "SELECT title, count(*) FROM publications GROUP BY 1 "
            "UNION SELECT name, count(*) FROM venues GROUP BY 1"
        ).fetchall()
    assert len(states) == 1, f"rows of several states: {states}"
    assert states[0][1] == _ROWS
    return int(states[0][0].removeprefix("State "))
