import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_sync.errors import ReleaseError
from content_sync.release import manifest
from content_sync.release.stage import (
    Entry,
    open_stage,
    releases,
    staged,
    tree_files,
    write_file,
)


def test_numbers_are_never_used_twice(site):
    first = open_stage(site.settings)
    first.discard()
    second = open_stage(site.settings)
    assert (first.number, second.number) == (1, 2)


def test_numbers_go_on_from_the_folders_when_the_history_is_lost(site):
    site.release({"public/index.html": b"x"})
    site.settings.history.unlink()
    assert open_stage(site.settings).number == 2


def test_an_older_stage_is_removed_first(site):
    left = open_stage(site.settings)
    left.begin()
    write_file(left.root, "public/index.html", b"half")
    left.close()
    stage = open_stage(site.settings)
    assert not left.root.exists()
    assert stage.root.name == "2.staged"


def test_a_stage_is_taken_up_by_a_later_command(site):
    site.release({"public/index.html": b"1"})
    first = site.stage({"public/index.html": b"2"})
    again = staged(site.settings)
    assert again is not None
    assert (again.number, again.base.number) == (first.number, 1)
    write_file(again.root, "search/public/a.seg", b"index")
    assert again.adopt("search/") == 1
    again.finish()
    with manifest.Manifest(again.manifest_file) as listing:
        assert listing.get("search/public/a.seg").size == 5
        assert listing.get("public/index.html").size == 1


def test_unchanged_files_are_hard_links(site):
    old = site.release({"public/index.html": b"1", "public/people/a/a.html": b"a"})
    new = site.release({"public/index.html": b"2", "public/people/a/a.html": b"a"})
    same = (old.root / "public/people/a/a.html").stat()
    assert same.st_ino == (new.root / "public/people/a/a.html").stat().st_ino
    assert (old.root / "public/index.html").read_bytes() == b"1"
    assert (new.root / "public/index.html").read_bytes() == b"2"


def test_a_full_build_shares_nothing(site):
    old = site.release({"public/index.html": b"1"})
    new = site.release({"public/index.html": b"1"}, full=True)
    assert (old.root / "public/index.html").stat().st_ino != (
        new.root / "public/index.html"
    ).stat().st_ino


def test_writing_a_file_never_writes_through_a_hard_link(site):
    old = site.release({"public/index.html": b"1"})
    stage = open_stage(site.settings)
    stage.begin()
    stage.share()
    stage.add([write_file(stage.root, "public/index.html", b"2", b"k")])
    assert (old.root / "public/index.html").read_bytes() == b"1"
    assert (stage.root / "public/index.html").read_bytes() == b"2"
    stage.close()


def test_a_file_that_another_hand_wrote_stays_and_is_adopted(site):
    old = site.release({"public/a.html": b"ours"})
    stage = open_stage(site.settings)
    stage.begin()
    (stage.root / "public").mkdir()
    (stage.root / "public/a.html").write_bytes(b"theirs")
    assert stage.share().linked == 1  # the stylesheet
    assert stage.adopt() == 1
    [entry] = stage.entries("public/a.html")
    assert (entry.size, entry.key) == (6, None)
    assert (old.root / "public/a.html").read_bytes() == b"ours"
    stage.close()


def test_files_are_copied_where_no_links_can_be_made(site, run):
    site.release({"public/a.html": b"a", "public/b.html": b"b"})
    done = run(
        """
        def hook(event, arguments):
            if event == "os.link":
                raise PermissionError(1, "no links here")

        sys.addaudithook(hook)
        stage = open_stage(settings)
        stage.begin()
        print(tuple(stage.share()))
        stage.adopt()
        stage.write_release({})
        stage.finish()
        """
    )
    assert done.stdout == "(0, 3, 2)\n"
    assert (staged(site.settings).root / "public/a.html").stat().st_nlink == 1


def test_a_base_that_lost_a_file_is_told(site):
    old = site.release({"public/a.html": b"a"})
    (old.root / "public/a.html").unlink()
    stage = open_stage(site.settings)
    stage.begin()
    with pytest.raises(ReleaseError, match=r"public/a\.html is missing .* --full"):
        stage.share()
    stage.close()


def test_files_without_a_key_are_made_anew_each_time(site):
    site.release({"public/index.html": b"1"}, prose={"public/about/index.html": b"about"})
    stage = open_stage(site.settings)
    stage.begin()
    assert [e.path for e in stage.entries("public/about/")] == []
    stage.share()
    assert not (stage.root / "public/about").exists()
    stage.close()


def test_adopting_again_follows_files_that_changed_or_went(site):
    stage = open_stage(site.settings)
    stage.begin()
    for name in ("a", "b"):
        write_file(stage.root, f"search/public/{name}", b"1")
    stage.add([write_file(stage.root, "public/x.html", b"x", None, "person:x")])
    assert stage.adopt() == 3
    (stage.root / "search/public/a").unlink()
    write_file(stage.root, "search/public/b", b"22")
    assert stage.adopt() == 2
    entries = {e.path: (e.size, e.records) for e in stage.entries()}
    assert entries == {"public/x.html": (1, "person:x"), "search/public/b": (2, "")}
    stage.close()


def test_a_stage_with_files_never_shared_cannot_be_finished(site):
    site.release({"public/index.html": b"1"})
    stage = open_stage(site.settings)
    stage.begin()
    with pytest.raises(ReleaseError, match="never shared"):
        stage.finish()
    stage.close()


def test_a_stage_must_be_begun(site):
    with pytest.raises(ReleaseError, match="call begin"):
        open_stage(site.settings).add([])


def test_a_base_can_be_asked_for_but_must_be_on_disk(site):
    site.release({"public/index.html": b"1"})
    site.release({"public/index.html": b"2"})
    assert open_stage(site.settings, base=1).base.number == 1
    with pytest.raises(ReleaseError, match="9 is not on disk"):
        open_stage(site.settings, base=9)


def test_the_manifest_does_not_depend_on_the_order_of_writing(site):
    files = {f"public/p{i}.html": str(i).encode() for i in range(300)}
    first = _listed(site.stage(files))
    second = _listed(site.stage(dict(reversed(files.items()))))
    assert first == second


def test_a_disk_that_fills_up_ends_a_build_without_a_trace_on_the_live_site(site, run):
    live = site.release({"public/index.html": b"1"})
    done = run(
        """
        import resource

        stage = open_stage(settings)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        stage.begin()
        write_file(stage.root, "public/big.html", b"x" * 100_000)
        """
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert (site.settings.output / "current").resolve() == live.root
    assert [r.number for r in releases(site.settings)] == [1]
    open_stage(site.settings)
    assert not (site.settings.output / "releases/2.staged").exists()


_NAMES = st.text("ab.0é-", min_size=1, max_size=4).filter(lambda s: s.strip(".") != "")
_PATHS = st.builds("/".join, st.tuples(st.just("public"), _NAMES, _NAMES.map(lambda n: n + ".h")))
_FILES = st.dictionaries(_PATHS, st.binary(max_size=6), max_size=12)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(old=_FILES, new=_FILES)
def test_building_upon_a_release_gives_what_building_anew_gives(new_site, old, new):
    site = new_site()
    before = site.release(old)
    upon = site.release(new)
    anew = site.stage(new, full=True)
    assert _content(upon.root) == _content(anew.root)
    assert _listed(upon) == _listed(anew)
    difference = manifest.compare(before.manifest_file, upon.manifest_file)
    mine = {p for part in difference for p in part if p.startswith("public/") and p in old | new}
    assert mine == {p for p in old.keys() | new.keys() if old.get(p) != new.get(p)}


def _listed(release):
    with manifest.Manifest(release.manifest_file) as listing:
        return list(listing.entries())


def _content(root):
    return {path: (root / path).read_bytes() for path in tree_files(root)}


def test_totals_and_prefixes(site):
    release = site.release({"public/a.html": b"12", "public/ab/c.html": b"345"})
    with release.manifest() as listing:
        assert listing.totals("public/a")[:2] == (3, 11)
        assert list(listing.paths("public/ab/")) == ["public/ab/c.html"]
        assert set(listing.keys("public/ab/")) == {"public/ab/c.html"}
        assert listing.get("public/nothing") is None
        assert isinstance(next(listing.entries()), Entry)
