"""The processes that open strangers' files: none of our secrets, and another when one is gone."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from dynamic.cv import children
from dynamic.cv.children import Child
from dynamic.cv.inspection import inspect
from dynamic.cv.refusals import Refused
from tests.dynamic.cv import files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing forks on Windows")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    target = tmp_path / "upload"
    target.write_bytes(files.pdf())
    return target


def _forking() -> psutil.Process:
    process = children._forking._process
    assert process is not None
    return psutil.Process(process.pid)


def test_each_file_has_a_process_of_its_own_that_ends_with_it(file: Path) -> None:
    with Child(file, "pdf") as one, Child(file, "pdf") as other:
        assert one.answer("structure") == other.answer("structure") == {"pages": 1}
        found = {process.pid for process in _forking().children()}
        assert len(found) == 2
    gone, _ = psutil.wait_procs(
        [psutil.Process(pid) for pid in found if psutil.pid_exists(pid)], 20
    )
    assert not [process for process in gone if process.is_running()]


def test_no_process_that_opens_files_has_our_secrets(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTPRESS_PROXY_SECRET", "a-secret-of-more-than-32-characters")
    children._forking.close()
    with Child(file, "pdf") as child:
        child.answer("structure")
        (process,) = _forking().children()
        for one in (process, _forking()):
            assert set(one.environ()) <= {"PATH", "LANG", "LC_CTYPE"}
            assert len(one.net_connections(kind="inet")) == 0


def test_a_process_that_was_killed_is_replaced(file: Path) -> None:
    assert inspect(file).pages == 1
    process = _forking()
    process.kill()
    assert inspect(file).pages == 1
    assert _forking().pid != process.pid


def test_a_child_that_dies_is_too_much_work_and_harms_nobody_else(file: Path) -> None:
    with Child(file, "pdf") as child:
        child.answer("structure")
        (process,) = _forking().children()
        process.kill()
        with pytest.raises(Refused, match="too-complex"):
            child.answer("text")
    assert inspect(file).pages == 1


def test_after_many_files_another_process_forks(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "FORKS", 1)
    children._forking.close()
    first = (inspect(file), _forking().pid)
    second = (inspect(file), _forking().pid)
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_where_nothing_forks_a_process_starts_for_each_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "_CAN_FORK", False)
    assert inspect(file).text == files.TEXT
    bad = tmp_path / "bad"
    bad.write_bytes(files.pdf()[:-40])
    with pytest.raises(Refused, match="damaged"):
        inspect(bad)
