import sqlite3
import threading
from contextlib import closing

import pytest

from content_sync.errors import ReleaseError
from content_sync.release import history
from content_sync.release.releases import read_include
from content_sync.release.stage import live, open_stage, releases, staged
from content_sync.release.switch import (
    point_include,
    point_link,
    prune,
    publish,
    rollback,
    switch_to,
)


def pages(text):
    return {"public/index.html": text.encode(), "public/a.html": b"same"}


def numbers(site):
    return [release.number for release in releases(site.settings)]


def test_the_first_release_goes_live(site):
    assert live(site.settings) is None
    site.release(pages("1"))
    assert live(site.settings).number == 1
    assert (site.settings.output / "current/public/index.html").read_text() == "1"
    assert live(site.settings).info()["base"] is None


def test_an_unfinished_stage_is_not_published(site):
    stage = open_stage(site.settings)
    stage.begin()
    with pytest.raises(ReleaseError, match="not finished"):
        publish(site.settings, stage)


def test_rollback_goes_back_one_release_at_a_time(site):
    for text in "123":
        site.release(pages(text))
    assert rollback(site.settings).number == 2
    assert rollback(site.settings).number == 1
    with pytest.raises(ReleaseError, match="no earlier release than 1"):
        rollback(site.settings)
    assert live(site.settings).number == 1


def test_a_release_taken_back_is_neither_built_upon_nor_gone_back_to(site):
    for text in "12":
        site.release(pages(text))
    rollback(site.settings)
    third = site.release(pages("3"))
    assert third.info()["base"] == 1
    assert rollback(site.settings).number == 1


def test_a_release_taken_back_counts_as_good_when_it_is_named(site):
    for text in "12":
        site.release(pages(text))
    rollback(site.settings)
    assert switch_to(site.settings, 2).number == 2
    assert open_stage(site.settings).base.number == 2
    assert switch_to(site.settings, 1).number == 1
    assert open_stage(site.settings).base.number == 1
    with pytest.raises(ReleaseError, match=r"7 is not on disk. There are: 1, 2"):
        switch_to(site.settings, 7)


def test_rollback_does_without_a_history(site):
    for text in "12":
        site.release(pages(text))
    site.settings.history.unlink()
    assert rollback(site.settings).number == 1


def test_prune_keeps_the_newest_good_releases(site):
    for text in "12345":
        site.release(pages(text))
    assert prune(site.settings) == [1, 2]
    assert numbers(site) == [3, 4, 5]
    rollback(site.settings)
    assert prune(site.settings) == []  # 5 stays to be looked at
    site.release(pages("6"))
    assert prune(site.settings) == [5]
    assert numbers(site) == [3, 4, 6]


def test_prune_keeps_the_live_release_and_the_base_of_a_stage(site):
    for text in "12345":
        site.release(pages(text))
    stage = open_stage(site.settings, base=1)
    stage.begin()
    stage.close()
    assert prune(site.settings) == [2]
    switch_to(site.settings, 1)
    assert prune(site.settings) == []
    assert live(site.settings).number == 1


def test_a_removal_cut_short_is_taken_up_again(site):
    site.release(pages("1"))
    half = site.settings.output / "releases/9.removed"
    half.mkdir()
    assert numbers(site) == [1]
    prune(site.settings)
    assert not half.exists()


_HOOK = """
count = 0
def hook(event, arguments):
    global count
    if armed and event in {"os.rename", "os.symlink", "os.remove", "sqlite3.connect", "open"}:
        count += 1
        if count == %d:
            %s
armed = False
sys.addaudithook(hook)
stage = staged(settings)
armed = True
publish(settings, stage)
armed = False
print("published")
"""


def test_killed_at_any_step_one_whole_release_is_live(site, run):
    site.release(pages("0"))
    step = 0
    outcomes = set()
    while True:
        step += 1
        before = live(site.settings)
        stage = site.stage(pages(f"step {step}"))
        done = run(_HOOK % (step, "os._exit(9)"))
        now = live(site.settings)
        assert now is not None
        assert now.number in {before.number, stage.number}
        with now.manifest() as listing:
            assert (now.root / "public/index.html").stat().st_size == listing.get(
                "public/index.html"
            ).size
        if done.returncode == 0:
            break
        outcomes.add(now.number == stage.number)
    assert step > 5
    assert False in outcomes
    last = site.release(pages("last"))
    assert live(site.settings) == last
    # What a killed run left unrecorded was recorded by the next one.
    with history.open_history(site.settings.history) as connection:
        assert history.is_recorded(connection, now.number)


def test_failing_at_any_step_everything_is_as_it_was(site, run):
    site.release(pages("0"))
    stage = site.stage(pages("1"))
    step = 0
    while True:
        step += 1
        done = run(_HOOK % (step, "raise OSError(28, 'No space left on device')"))
        if done.returncode == 0:
            break
        assert "ReleaseError" in done.stderr
        assert "No space left on device" in done.stderr
        assert live(site.settings).number == 1
        assert numbers(site) == [1]
        assert staged(site.settings).number == stage.number
    assert step > 5
    assert live(site.settings).number == 2


def test_a_full_disk_while_the_history_is_written_stops_the_publication(site, run):
    site.release(pages("1"))
    stage = site.stage({f"public/p/{i}.html": b"x" for i in range(3000)})
    done = run(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
        publish(settings, staged(settings))
        """
    )
    assert "ReleaseError: Release 2 cannot be published" in done.stderr
    assert live(site.settings).number == 1
    assert publish(site.settings, stage).number == 2


def test_readers_never_find_nothing(site):
    first, second = site.release(pages("1")), site.release(pages("2"))
    current = site.settings.output / "current"
    stop = threading.Event()
    seen: set[str] = set()
    failures: list[OSError] = []

    def read() -> None:
        while not stop.is_set():
            try:
                seen.add((current / "public/index.html").read_text())
            except OSError as error:
                failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for flip in range(300):
        point_link(site.settings.output, (first, second)[flip % 2])
    stop.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert seen <= {"1", "2"}


def test_the_include_file_for_windows_names_the_release(site):
    release = site.release(pages("1"))
    output = site.settings.output
    assert read_include(output) is None
    point_include(output, release)
    assert (output / "current.conf").read_text() == (
        f'Define NIGHTPRESS_RELEASE "{release.root.as_posix()}"\n'
    )
    assert (output / "current.txt").read_text() == "1\n"
    assert read_include(output) == 1
    assert not list(output.glob("*.new"))


def test_the_history_remembers_every_url(site):
    site.publication("x")
    first = {
        "public/index.html": b"1",
        "public/publications/x.html": b"x",
        "public/publications/x/x.pdf": b"pdf",
        "public/venues/acl/2019/2.html": b"y",
        "members/people/a-z/q.html": b"q",
        "staff/index.html": b"s",
        "public/search-index/1.json": b"{}",
    }
    records = {"public/publications/x.html": "publication:x\nperson:y"}
    site.release(first, records=records, prose={"public/news/a.html": b"news"})
    second = {"public/index.html": b"2"}
    site.release(second)
    site.release(first, records=records)
    with closing(sqlite3.connect(site.settings.history)) as connection:
        rows = {
            row[0]: row[1:]
            for row in connection.execute(
                "SELECT path, kind, record, first_release, last_release FROM urls"
            )
        }
    assert rows == {
        "public/index.html": ("listing", "", 1, None),
        "public/publications/x.html": ("record", "publication:x", 1, None),
        "public/publications/x/x.pdf": ("file", "", 1, None),
        "public/venues/acl/2019/2.html": ("listing", "", 1, None),
        "public/news/a.html": ("prose", "", 1, 1),
        "members/people/a-z/q.html": ("listing", "", 1, None),
    }
