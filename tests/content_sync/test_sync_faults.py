"""What must never happen to a snapshot, made to happen: killed runs, full disks, dead sources."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from content_sync.errors import GuardRefused, NightpressError, SourceError
from content_sync.settings import Settings
from content_sync.snapshot import open_snapshot
from content_sync.source.connect import DEMO_APPLICATION_ID, open_source
from content_sync.source.read import probe, stream_rows
from content_sync.sync import sync
from tests.content_sync.databases import PASSWORD, POSTGRESQL, contract_tables

_CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from content_sync.errors import NightpressError
    from content_sync.settings import Settings
    from content_sync.sync import sync

    def show(step, done, total):
        print(step, flush=True)

    if len(sys.argv) > 3:
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    try:
        settings = Settings(
            site=Path(sys.argv[1]), source=sys.argv[2], guard_changed_share=1, source_retries=0
        )
        report = sync(settings, progress=show)
    except NightpressError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print("done", report.number, flush=True)
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        print(status.split("VmHWM:")[1].split()[0], flush=True)
    """
)


def start(nights: Any, *limit: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _CHILD, str(nights.settings.site), nights.settings.source]
    return subprocess.Popen(
        [*command, *limit], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def fill(database: Any, count: int) -> None:
    database.create("publications", "venues")
    database.run("BEGIN")
    for number in range(count):
        database.add("publications", id=f"p{number}", title=f"Paper {number}", abstract="x" * 500)
        database.add("venues", id=f"v{number}", name=f"Venue {number}")
    database.run("COMMIT")


def whole_snapshot(nights: Any) -> set[str]:
    """Return the titles in a snapshot that must be sound, venues and papers of one state."""
    connection = open_snapshot(nights.settings.snapshot)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        titles = {t for (t,) in connection.execute("SELECT substr(title, 1, 3) FROM publications")}
        names = {n for (n,) in connection.execute("SELECT substr(name, 1, 3) FROM venues")}
    finally:
        connection.close()
    assert {"Pap": "Ven", "New": "New"}[min(titles)] == min(names)
    assert len(titles) == len(names) == 1
    return titles


def left_over(nights: Any) -> set[str]:
    """Return the files in var/ that a finished or failed sync has no business to leave."""
    found = {path.name for path in nights.settings.var.iterdir()}
    return found - {"snapshot.sqlite", "source-report.json"}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a signal of POSIX")
@pytest.mark.parametrize("wait", ["reading publications", "reading venues"])
def test_first_sync_killed_at_any_moment_is_finished_by_the_next(
    sqlite_nights: Any, wait: str
) -> None:
    fill(sqlite_nights.database, 3000)
    child = start(sqlite_nights)
    assert child.stdout
    while child.stdout.readline().strip() != wait:
        pass
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not sqlite_nights.settings.snapshot.exists()
    assert sqlite_nights.sync().rows == 6000
    assert left_over(sqlite_nights) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a signal of POSIX")
def test_sync_killed_at_any_moment_leaves_the_old_or_the_new_snapshot(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database, 3000)
    sqlite_nights.sync()
    sqlite_nights.database.change("publications", "1 = 1", title="New title")
    sqlite_nights.database.change("venues", "1 = 1", name="New name")
    seen = set()
    for milliseconds in (0, 10, 20, 40, 60, 80, 120, 160, 240, 400):
        child = start(sqlite_nights)
        assert child.stdout
        child.stdout.readline()
        time.sleep(milliseconds / 1000)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        seen |= whole_snapshot(sqlite_nights)
    assert "Pap" in seen
    sqlite_nights.given(guard_changed_share=1).sync()
    assert whole_snapshot(sqlite_nights) == {"New"}
    assert left_over(sqlite_nights) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("limit", [40_000, 400_000, 1_500_000])
def test_full_disk_stops_with_one_line_and_leaves_the_snapshot(
    sqlite_nights: Any, limit: int
) -> None:
    fill(sqlite_nights.database, 3000)
    child = start(sqlite_nights, str(limit))
    _out, told = child.communicate()
    assert child.returncode == 1
    assert told.startswith("NightpressError: The snapshot ")
    assert "cannot be written" in told
    assert told.count("\n") == 1
    assert not sqlite_nights.settings.snapshot.exists()
    assert left_over(sqlite_nights) == set()

    sqlite_nights.sync()
    before = sqlite_nights.settings.snapshot.read_bytes()
    sqlite_nights.database.change("publications", "1 = 1", abstract="y" * 2000)
    child = start(sqlite_nights, str(limit))
    _out, told = child.communicate()
    assert child.returncode == 1
    assert "cannot be written" in told
    assert told.count("\n") == 1
    connection = open_snapshot(sqlite_nights.settings.snapshot)
    connection.close()
    assert sqlite_nights.settings.snapshot.read_bytes() == before
    assert left_over(sqlite_nights) == set()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_disk_that_is_full_only_when_the_changes_land(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database, 3000)
    sqlite_nights.sync()
    before = sqlite_nights.settings.snapshot.read_bytes()
    sqlite_nights.database.change("publications", "id LIKE '%7'", title="New title")
    child = start(sqlite_nights, str(len(before) // 2))
    _out, told = child.communicate()
    assert child.returncode == 1
    assert "cannot be written" in told
    assert whole_snapshot(sqlite_nights) == {"Pap"}
    assert sqlite_nights.settings.snapshot.read_bytes() == before
    assert sqlite_nights.sync().changed == 300


def test_sync_reads_one_state_of_the_source(nights: Any) -> None:
    nights.database.create("publications", "venues")
    nights.database.add("venues", id="v", name="Before")
    nights.database.add("publications", id="p", title="Before")

    def meddle(step: str, _done: int, _total: int) -> None:
        if step.endswith("venues"):  # which are read before publications
            table = nights.database.at("publications")
            nights.database.run(f"UPDATE {table} SET title = title || '!', version = version + 1")

    sync(nights.settings, progress=meddle)
    assert nights.row("SELECT title FROM publications") == ("Before",)
    assert nights.sync().changed == 1
    sync(nights.settings, progress=meddle)
    assert nights.sync().changed == 1


def test_source_cannot_be_written(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p", title="P")
    with open_source(nights.database.source, nights.settings.site) as source:
        assert not source.notes
        with pytest.raises(SourceError, match="Reading the test from"), source.reading("the test"):
            source.execute("DELETE FROM web.publications")
    assert nights.sync().rows == 1


def test_view_that_fails_when_it_is_read_is_named(nights: Any) -> None:
    nights.database.create("publications")
    nights.database.add("publications", id="p", title="P")
    with open_source(nights.database.source, nights.settings.site) as source:
        view = probe(source)["publications"]
        gone = replace(view, relation="web.nothing")
        with pytest.raises(SourceError, match=r"Reading web\.publications from .* failed"):
            list(stream_rows(source, gone))


def test_absent_sqlite_file_is_named(tmp_path: Path) -> None:
    settings = Settings(site=tmp_path, source="sqlite:///nowhere/source.sqlite")
    with pytest.raises(
        SourceError, match=f"no source database at {tmp_path}/nowhere/source.sqlite"
    ):
        sync(settings)
    assert not settings.snapshot.exists()


def test_without_any_source_the_demo_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nightpress demo"):
        sync(Settings(site=tmp_path))


def test_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "source.sqlite").write_text("This is not a database. " * 100)
    settings = Settings(site=tmp_path, source="sqlite:///source.sqlite")
    with pytest.raises(SourceError, match=r"source\.sqlite failed: file is not a database"):
        sync(settings)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("sqlite://source.sqlite", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("postgresql://me:s3cret@host/db", "neither sqlite:///path nor an ODBC"),
        ("s3cret", "neither sqlite:///path nor an ODBC"),
    ],
)
@pytest.mark.needs("odbc")
def test_source_that_is_no_source_is_told_without_showing_it(
    tmp_path: Path, source: str, told: str
) -> None:
    with pytest.raises(SourceError, match=told) as raised:
        sync(Settings(site=tmp_path, source=source))
    assert "s3cret" not in str(raised.value)


@pytest.mark.needs("odbc")
def test_absent_file_through_odbc_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.sqlite"
    with pytest.raises(SourceError, match="cannot be reached"):
        sync(Settings(site=tmp_path, source=f"Driver=SQLite3;Database={path}"))
    assert not path.exists()


@pytest.mark.needs("odbc")
def test_missing_driver_is_told(tmp_path: Path) -> None:
    source = "Driver=ODBC Driver 99 for Nothing;Server=db.example;Uid=me;Pwd=s3cret"
    with pytest.raises(SourceError, match="cannot be reached") as raised:
        sync(Settings(site=tmp_path, source=source))
    assert "ODBC Driver 99 for Nothing" in str(raised.value)
    assert "server db.example" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_missing_odbc_manager_is_told_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", None)  # the import then fails
    with pytest.raises(SourceError, match="sudo apt install unixodbc"):
        sync(Settings(site=tmp_path, source="Driver=Any;Server=x"))


@pytest.mark.needs("postgresql")
def test_passwords_never_appear(postgresql: Any, tmp_path: Path) -> None:
    wrong = [
        postgresql.source(password="wr0ng}pass"),
        postgresql.source(database="no_such_database"),
        postgresql.source().replace(f"Port={postgresql.port}", "Port=1"),
        postgresql.source().replace("Server=127.0.0.1", "Server=no.such.host.invalid"),
    ]
    for source in wrong:
        settings = Settings(site=tmp_path, source=source, source_retries=0)
        with pytest.raises(SourceError, match="cannot be reached") as raised:
            sync(settings)
        for text in (str(raised.value), repr(settings), repr(raised.value)):
            assert "wr0ng" not in text
            assert PASSWORD not in text
            assert "s3same" not in text
        assert "\n" not in str(raised.value)
        assert raised.value.__cause__ is None
    with open_source(postgresql.source(), tmp_path) as source:
        assert "s3same" not in repr(source)


@pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
def test_view_that_may_not_be_read_is_named(nights: Any) -> None:
    nights.database.create("publications", "venues")
    nights.database.run("REVOKE SELECT ON web.venues FROM reader")
    with pytest.raises(SourceError, match=r"Reading web\.venues from .*permission denied"):
        nights.sync()


def test_snapshot_that_is_damaged_is_told(sqlite_nights: Any) -> None:
    sqlite_nights.database.create("publications")
    sqlite_nights.sync()
    sqlite_nights.settings.snapshot.write_bytes(b"garbage" * 1000)
    with pytest.raises(NightpressError, match=r"damaged.*Delete it"):
        sqlite_nights.sync()


def test_snapshot_of_another_version_is_made_again(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database, 50)
    sqlite_nights.sync()
    sqlite_nights.database.change("venues", "id = 'v1'", name="Changed")
    sqlite_nights.sync()
    connection = sqlite3.connect(sqlite_nights.settings.snapshot)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(NightpressError, match="another version of Nightpress"):
        open_snapshot(sqlite_nights.settings.snapshot)
    report = sqlite_nights.sync()
    assert (report.number, report.added, report.unchanged) == (3, 100, False)
    assert sqlite_nights.sync().unchanged


def test_guards_hold_when_a_snapshot_is_made_again(sqlite_nights: Any) -> None:
    fill(sqlite_nights.database, 50)
    sqlite_nights.sync()
    connection = sqlite3.connect(sqlite_nights.settings.snapshot)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = sqlite_nights.settings.snapshot.read_bytes()
    sqlite_nights.database.remove("publications", "1 = 1")
    with pytest.raises(GuardRefused, match=r"web\.publications had 50 rows and is empty"):
        sqlite_nights.sync()
    assert sqlite_nights.settings.snapshot.read_bytes() == before
    assert sqlite_nights.sync(accept=True).rows == 50


def test_real_data_may_take_the_place_of_the_demo_but_not_the_reverse(
    sqlite_nights: Any, tmp_path: Path
) -> None:
    demo = sqlite3.connect(tmp_path / "site-demo.sqlite")
    demo.execute(f"PRAGMA application_id = {DEMO_APPLICATION_ID}")
    demo.execute(contract_tables()["publications"])
    demo.execute("INSERT INTO publications (id, title, access) VALUES ('d', 'Demo', 'public')")
    demo.commit()
    demo.close()
    from_demo = Settings(
        site=sqlite_nights.settings.site, source=f"sqlite:///{tmp_path / 'site-demo.sqlite'}"
    )
    assert sync(from_demo).is_demo
    fill(sqlite_nights.database, 3)
    report = sqlite_nights.sync()
    assert not report.is_demo
    assert report.number == 2
    assert sqlite_nights.row("SELECT count(*) FROM publications") == (3,)
    with pytest.raises(GuardRefused, match="real data"):
        sync(from_demo)
    assert sync(from_demo, accept=True).is_demo


def test_rows_that_fail_to_answer_to_their_key_are_found_otherwise(sqlite_nights: Any) -> None:
    database = sqlite_nights.database
    database.create("publications")
    database.add("publications", id="p", title="P")
    # A key that a comparison with its own text does not find.
    database.run("CREATE TABLE base (id REAL, name TEXT, version INTEGER)")
    database.run(
        "CREATE VIEW venues AS SELECT CAST(id AS REAL) AS id, name, NULL AS short_name, "
        "NULL AS issn, NULL AS url, version FROM base"
    )
    for number in range(3):
        database.run("INSERT INTO base VALUES (?, 'V', 1)", number + 0.1)
    sqlite_nights.sync()
    database.run("UPDATE base SET name = 'W', version = 2 WHERE id = 1.1")
    assert sqlite_nights.sync().changed == 1
    assert sqlite_nights.row("SELECT name FROM venues WHERE id = '1.1'") == ("W",)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one program")
def test_memory_does_not_grow_with_the_source(sqlite_nights: Any) -> None:
    sqlite_nights.database.create("publications")
    sqlite_nights.database.run(
        "INSERT INTO publications (id, title, abstract, access, version) "
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) "
        "SELECT 'p' || i, 'Paper ' || i, hex(randomblob(1000)), 'public', 1 FROM n"
    )
    out, _told = start(sqlite_nights).communicate()
    done, peak = out.splitlines()[-2:]
    assert done == "done 1"
    assert int(peak) < 130_000  # KB; the rows alone are 80 MB
