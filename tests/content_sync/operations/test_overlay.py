"""The live overlay's files: whole at every moment, and never made to say less than they did."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from content_sync.errors import NightpressError
from content_sync.operations.overlay import (
    make_overlay,
    notice,
    restore,
    set_notice,
    withdraw,
    withdrawn,
)
from content_sync.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(site=tmp_path)


def test_the_files_exist_from_the_first_run_and_stay(settings: Settings) -> None:
    folder = make_overlay(settings)
    assert (folder / "blocked.grp").read_text() == "blocked:\n"
    assert (folder / "withdrawn.txt").read_text() == ""
    assert json.loads((folder / "withdrawn.json").read_text()) == {"version": 1, "withdrawn": []}
    assert notice(settings).text == ""
    (folder / "blocked.grp").write_text("blocked: eve\n")
    make_overlay(settings)
    assert (folder / "blocked.grp").read_text() == "blocked: eve\n"


def test_withdrawals_are_written_for_apache_and_for_the_search(settings: Settings) -> None:
    assert withdraw(settings, "publication:EL-2024/7")
    assert withdraw(settings, "person:ada", "erased")
    assert not withdraw(settings, "person:ada", "erased")
    folder = settings.var / "live"
    assert (folder / "withdrawn.txt").read_text() == (
        "".join(
            f"/citations/el-2024_2f7_u.{ending}/ withdrawn\n" for ending in ("bib", "json", "ris")
        )
        + "/people/ada/ erased\n/publications/el-2024_2f7_u/ withdrawn\n"
    )
    assert json.loads((folder / "withdrawn.json").read_text()) == {
        "version": 1,
        "withdrawn": ["person:ada", "publication:EL-2024/7"],
    }
    assert withdrawn(settings) == {"person:ada": "erased", "publication:EL-2024/7": "withdrawn"}
    assert restore(settings, "person:ada")
    assert not restore(settings, "person:ada")
    assert withdrawn(settings) == {"publication:EL-2024/7": "withdrawn"}


@pytest.mark.parametrize("record", ["", "x", "publication:", "nothing:x", ":x"])
def test_only_records_with_a_page_can_be_withdrawn(settings: Settings, record: str) -> None:
    with pytest.raises(NightpressError, match="names no record"):
        withdraw(settings, record)


def test_a_reason_is_one_of_three(settings: Settings) -> None:
    with pytest.raises(NightpressError, match="is no reason"):
        withdraw(settings, "person:ada", "because\n/publications/x/ y")


def test_a_broken_file_is_not_taken_for_an_empty_one(settings: Settings) -> None:
    make_overlay(settings)
    file = settings.var / "live" / "withdrawn.json"
    for text in ("{", "[]", '{"version": 2}', '{"version": 1, "withdrawn": "x"}'):
        file.write_text(text)
        with pytest.raises(NightpressError, match="cannot be used"):
            withdraw(settings, "person:ada")
        assert file.read_text() == text


def test_many_writers_lose_nothing(settings: Settings) -> None:
    threads = [
        threading.Thread(target=withdraw, args=(settings, f"person:p{n}")) for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(withdrawn(settings)) == {f"person:p{n}" for n in range(24)}


def test_each_change_has_a_later_time_than_the_last(settings: Settings) -> None:
    file = settings.var / "live" / "withdrawn.txt"
    times = []
    for n in range(20):
        withdraw(settings, f"person:p{n}")
        times.append(file.stat().st_mtime_ns // 1000)
    assert times == sorted(set(times))


def test_the_notice_says_since_when(settings: Settings) -> None:
    assert set_notice(settings, "Back at noon").since.startswith("20")
    assert notice(settings).text == "Back at noon"
    set_notice(settings, "")
    assert notice(settings).since == ""
