"""The release that was removed last gives its files to the next one."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_sync.release import spare
from content_sync.release.manifest import Manifest, compare
from content_sync.release.releases import live, read_info, releases_folder
from content_sync.release.spare import drop_spare, find_spare, is_ready, make_spare
from content_sync.release.stage import open_stage, tree_files
from content_sync.release.switch import prune, rollback
from content_sync.release.verify import check
from tests.content_sync.release.conftest import html

PAGES = {"public/index.html": html("home")} | {
    f"public/people/p{number}.html": html(str(number)) for number in range(6)
}


def content(release):
    return {path: (release.root / path).read_bytes() for path in tree_files(release.root)}


def listed(release):
    with Manifest(release.manifest_file) as listing:
        return list(listing.entries())


def spare_of(site):
    return find_spare(releases_folder(site.settings))


def grow(site, count):
    """Publish so many releases, each with one page that is new and one that changed."""
    for number in range(count):
        changed = {"public/people/p0.html": html(f"now {number}"), f"public/n{number}.html": b"n"}
        site.release({**PAGES, **changed})
        prune(site.settings)


def test_the_release_removed_last_becomes_the_spare(site):
    grow(site, 3)
    assert spare_of(site) is None
    grow(site, 2)
    assert spare_of(site).number == 2
    assert not (releases_folder(site.settings) / "2").exists()


def test_what_takes_long_is_left_to_the_night(site):
    grow(site, 5)  # 2 is the spare, 3 to 5 are kept
    site.release(PAGES)  # which takes the spare
    site.release(PAGES)
    assert prune(site.settings, quickly=True) == []  # two to go: the first of them by its files
    assert spare_of(site) is None
    assert prune(site.settings) == [3, 4]
    assert spare_of(site).number == 4
    site.release(PAGES)
    assert prune(site.settings, quickly=True) == [5]  # it only changes its name
    assert spare_of(site).number == 5


def test_the_next_release_takes_the_spare_and_links_only_what_differs(site, monkeypatch):
    grow(site, 5)
    links = []
    real = os.link
    monkeypatch.setattr(os, "link", lambda a, b: (links.append(str(a)), real(a, b)))
    same = {"public/people/p0.html": html("now 4"), "public/n4.html": b"n"}
    grown = site.release({**PAGES, **same, "public/people/p1.html": html("other")})
    assert spare_of(site) is None
    base = f"{releases_folder(site.settings)}/5/"
    assert links == [base + path for path in ("public/n4.html", "public/people/p0.html")]
    assert (grown.root / "public/people/p2.html").stat().st_nlink > 2
    assert set(content(grown)) == {entry.path for entry in listed(grown)}
    assert check(site.settings, grown, full=True).errors == []


def test_no_folder_of_the_search_comes_with_the_spare(site):
    site.release(PAGES, prose={"public/search-index/a/0.bin": b"0"})
    (live(site.settings).root / "public/search-index/a/b").mkdir()
    grow(site, 3)
    assert (spare_of(site).root / "public/search-index/a/b").exists()
    release = site.release(PAGES)
    assert spare_of(site) is None
    assert not (release.root / "public/search-index").exists()


def test_a_spare_that_a_killed_run_left_half_used_counts_for_nothing(site):
    grow(site, 5)
    (spare_of(site).root / "manifest.sqlite").unlink()
    (releases_folder(site.settings) / "spare/public/people/p2.html").unlink()
    release = site.release(PAGES)
    assert (release.root / "public/people/p2.html").read_bytes() == PAGES["public/people/p2.html"]
    assert not (releases_folder(site.settings) / "spare").exists()


def test_a_run_that_ends_while_it_takes_the_spare_leaves_all_releases_whole(site, monkeypatch):
    grow(site, 5)
    before = content(live(site.settings))

    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spare, "_move_files", fail)
    with pytest.raises(OSError, match="No space"):
        site.stage({**PAGES, "public/people/p1.html": html("other")})
    monkeypatch.undo()
    assert content(live(site.settings)) == before
    release = site.release({**PAGES, "public/people/p1.html": html("other")})
    assert set(content(release)) == {entry.path for entry in listed(release)}
    assert spare_of(site) is None


def test_the_spare_is_brought_up_to_date_with_the_live_release(site):
    assert not make_spare(site.settings), "nothing is live"
    grow(site, 1)
    assert make_spare(site.settings), "all its files are linked"
    assert is_ready(site.settings)
    assert not make_spare(site.settings)
    grow(site, 4)
    assert not is_ready(site.settings)
    old = spare_of(site).root.stat().st_ino
    assert make_spare(site.settings)
    assert spare_of(site).root.stat().st_ino == old, "only what differs was linked"
    assert content(spare_of(site)) == content(live(site.settings))
    assert is_ready(site.settings)


def test_a_spare_newer_than_what_is_removed_stays(site):
    grow(site, 3)
    make_spare(site.settings)
    with Manifest(spare_of(site).manifest_file) as listing:
        assert listing.upon() == 2
    site.settings.output.joinpath("releases/spare").rename(site.settings.output / "aside")
    site.release(PAGES)
    site.settings.output.joinpath("aside").rename(site.settings.output / "releases/spare")
    prune(site.settings)
    assert spare_of(site).number == 3


def test_after_a_way_back_a_spare_of_the_release_left_behind_is_not_used(site):
    grow(site, 4)
    make_spare(site.settings)
    rollback(site.settings)
    release = site.release(PAGES)
    assert release.number == 5
    assert spare_of(site).number == 4, "how it differs from the live release is not known"
    assert content(release).items() >= PAGES.items()
    drop_spare(releases_folder(site.settings))
    assert not (releases_folder(site.settings) / "spare").exists()


def test_a_stage_of_single_records_keeps_prose_as_it_was(site):
    site.release(PAGES, prose={"public/about.html": html("about")})
    make_spare(site.settings)
    stage = open_stage(site.settings, part=True)
    stage.begin()
    stage.share()
    stage.write_release(stage.base.info())
    stage.finish()
    assert read_info(stage.root) == stage.base.info() | {"number": 2, "base": 1}
    assert (stage.root / "public/about.html").read_bytes() == html("about")
    assert compare(stage.base.manifest_file, stage.manifest_file, touched=True) == ([], [], [])


_NIGHTS = st.lists(
    st.dictionaries(
        st.sampled_from([f"public/{a}/{b}.html" for a in ("x", "y") for b in "abc"]),
        st.sampled_from([b"1", b"2", b"3"]),
    ),
    min_size=4,
    max_size=8,
)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(nights=_NIGHTS, ready=st.sets(st.integers(0, 7)))
def test_every_night_gives_what_building_anew_gives(new_site, nights, ready):
    site = new_site()
    for number, pages in enumerate(nights):
        before = live(site.settings)
        prose = {"public/prose.html": str(number % 2).encode()}
        stage = site.stage(pages, prose=prose)
        if before is not None:
            known = compare(before.manifest_file, stage.manifest_file, touched=True)
            assert known == compare(before.manifest_file, stage.manifest_file)
        upon = content(stage), listed(stage)
        anew = site.stage(pages, prose=prose, full=True)
        files = content(anew)
        assert upon == (files, listed(anew))
        site.release(pages, prose=prose)
        prune(site.settings)
        if number in ready:
            make_spare(site.settings)
