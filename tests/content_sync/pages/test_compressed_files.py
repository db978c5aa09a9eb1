"""Compressed siblings: right, deterministic, shared, and gone with their file."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from filecmp import cmp
from pathlib import Path
from typing import Any

import brotli
import pytest

from content_sync.pages import site as site_builder
from content_sync.release import compress, history
from content_sync.release.addresses import COMPRESSED
from content_sync.release.compress import compress_pages, compress_shards, expand
from content_sync.release.manifest import Manifest
from content_sync.release.stage import Stage, live, open_stage, staged, write_file
from content_sync.release.switch import publish
from content_sync.release.verify import Finding, check
from tests.content_sync.pages.conftest import Site, tree

LONG = b"<p>The same words again and again, as pages have them.</p>\n" * 60


DOWNLOADS = re.compile(r"catalogue/|public/data/.*\.(?:jsonl|sqlite|bib|ris|json)\.gz$")
"""Files that are fetched compressed and have no plain one beside them."""


def siblings(root: Path) -> list[str]:
    names = (f.relative_to(root).as_posix() for f in root.rglob("*"))
    return sorted(n for n in names if n.endswith((".br", ".gz")) and not DOWNLOADS.match(n))


def test_every_long_text_file_has_both_siblings_and_no_other_file_has(site: Site) -> None:
    site.sync()
    _, stage = site.build()
    checked = 0
    for name in ("public", "members"):
        for file in sorted((stage.root / name).rglob("*")):
            if not file.is_file() or file.name.endswith((".br", ".gz")):
                continue
            size = file.stat().st_size
            folder = file.relative_to(stage.root / name).parts[0]
            least = 14_000 if folder == "citations" else 1000
            pair = file.with_name(file.name + ".br"), file.with_name(file.name + ".gz")
            if not pair[0].exists():
                assert not pair[1].exists()
                is_text = file.suffix in {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt"}
                assert not is_text or size < least or "gone" in file.read_text(), file
                continue
            assert size >= least
            assert brotli.decompress(pair[0].read_bytes()) == file.read_bytes()
            assert gzip.decompress(pair[1].read_bytes()) == file.read_bytes()
            assert pair[0].stat().st_size < pair[1].stat().st_size < file.stat().st_size
            checked += 1
    assert checked > 200


def test_the_same_content_gives_the_same_bytes(site: Site, make_site) -> None:  # type: ignore[no-untyped-def]
    site.sync()
    _, one = site.build()
    other = make_site("other")
    shutil.copyfile(site.settings.snapshot, other.settings.snapshot)  # the same minute, too
    _, two = other.build()
    first = {n: c for n, c in tree(one.root).items() if n.endswith((".br", ".gz"))}
    second = {n: c for n, c in tree(two.root).items() if n.endswith((".br", ".gz"))}
    assert first
    assert first == second
    assert all(content[4:8] == bytes(4) for n, content in first.items() if n.endswith(".gz"))


def test_a_large_site_is_compressed_while_the_rest_is_made(
    site: Site,
    make_site,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site.sync()
    _, one = site.build()
    other = make_site("other")
    shutil.copyfile(site.settings.snapshot, other.settings.snapshot)
    monkeypatch.setattr(compress, "_FEW", 100)  # as if there were thousands
    left: list[compress.Compressed] = []

    def count(*arguments: Any) -> compress.Compressed:
        left.append(compress_pages(*arguments))
        return left[-1]

    monkeypatch.setattr(site_builder, "compress_pages", count)
    settings = replace(other.settings, workers=2)
    site_builder.build_site(settings)
    assert left[0].shared > 5 * left[0].made > 0
    two = staged(settings)
    assert two is not None
    names = siblings(one.root)
    assert names == siblings(two.root)
    assert all(cmp(one.root / n, two.root / n, shallow=False) for n in names)
    assert not wrong_siblings(other, two, full=True)


def test_a_changed_night_gives_what_a_full_build_gives(site: Site) -> None:
    site.night()
    site.edit("UPDATE publications SET title = 'Another title' WHERE rowid = 5")
    site.sync()
    _, changed = site.build()
    found = {n: c for n, c in tree(changed.root).items() if n.startswith(("public/", "members/"))}
    changed.discard()
    _, full = site.build(full=True)
    again = {n: c for n, c in tree(full.root).items() if n.startswith(("public/", "members/"))}
    assert any(name.endswith(".br") for name in found)
    assert found == again


def test_unchanged_siblings_are_shared_and_keep_their_time(site: Site) -> None:
    site.night()
    before = live(site.settings)
    site.edit("UPDATE publications SET title = 'Another title' WHERE rowid = 5")
    site.sync()
    report, stage = site.build()
    assert before is not None
    assert report.written
    same = made = 0
    for name in siblings(stage.root):
        old = before.root / name
        shared = old.exists() and old.samefile(stage.root / name)
        plain = name[: -len(".gz")]
        kept = old.exists() and cmp(before.root / plain, stage.root / plain, shallow=False)
        assert shared == kept, name
        same += shared
        made += not shared
    assert same > 300
    assert 0 < made < same / 4


def test_siblings_of_pages_that_went_are_gone_too(site: Site) -> None:
    site.night()
    site.edit("DELETE FROM people WHERE rowid = 3")
    site.sync()
    _, stage = site.build()
    for name in siblings(stage.root):
        assert (stage.root / name[:-3]).is_file(), name


@pytest.fixture
def stage(site: Site) -> Stage:
    stage = open_stage(site.settings)
    stage.begin()
    return stage


def finish(stage: Stage) -> None:
    stage.write_release({"date": "2026-01-01", "compressed": "other"})
    stage.finish()


def test_three_variants_never_share_an_etag(site: Site, stage: Stage) -> None:
    """Apache's ETag is size and time of change in microseconds."""
    stage.add([write_file(stage.root, "public/a/b.html", LONG, b"key")])
    compress_pages(site.settings, stage)
    file = stage.root / "public/a/b.html"
    times = {Path(f"{file}{ending}").stat().st_mtime_ns // 1000 for ending in ("", ".br", ".gz")}
    assert len(times) == 3


def test_files_that_do_not_shrink_are_left_alone(site: Site, stage: Stage) -> None:
    stage.add(
        [
            write_file(stage.root, "public/search-index/x/noise.json", os.urandom(5000)),
            write_file(stage.root, "public/search-index/x/words.json", LONG),
            write_file(stage.root, "public/a/short.html", b"<p>short</p>", b"key"),
            write_file(stage.root, "public/a/picture.png", LONG, b"key"),
            write_file(stage.root, "documents/public/0000.jsonl", LONG, b"key"),
        ]
    )
    compress_pages(site.settings, stage)
    with ThreadPoolExecutor(2) as executor:
        made = compress_shards(site.settings, stage, executor)
    assert made.made == 2
    assert siblings(stage.root) == [
        "public/search-index/x/words.json.br",
        "public/search-index/x/words.json.gz",
    ]


def test_siblings_are_no_addresses_of_their_own(site: Site) -> None:
    site.night()
    release = live(site.settings)
    assert release is not None
    with Manifest(release.manifest_file) as listing:
        marked = {e.path for e in listing.entries() if e.records == COMPRESSED}
    assert marked == set(siblings(release.root))
    with history.open_history(site.settings.history) as ledger:
        paths = {path for (path,) in ledger.execute("SELECT path FROM urls")}
    assert not paths & marked


def wrong_siblings(site: Site, stage: Stage, *, full: bool = False) -> list[Finding]:
    """What a check says of compressed files. The search is not built here."""
    errors = check(site.settings, stage, full=full).errors
    return [finding for finding in errors if finding.page.endswith((".br", ".gz"))]


@pytest.mark.parametrize("damage", ["other", "cut", "not at all", "longer"])
def test_a_check_finds_siblings_that_hold_something_else(site: Site, damage: str) -> None:
    site.sync()
    _, stage = site.build()
    assert not wrong_siblings(site, stage)
    name = next(n for n in siblings(stage.root) if n.endswith("about/index.html.gz"))
    content = (stage.root / name).read_bytes()
    wrong = {
        "other": gzip.compress(b"x" * 2000),
        "cut": content[:-5],
        "not at all": b"no gzip",
        "longer": content + content,
    }[damage]
    again = staged(site.settings)
    assert again is not None
    again.add([write_file(again.root, name, wrong, again.key_of(name), COMPRESSED)])
    again.finish()
    (found,) = wrong_siblings(site, again, full=True)
    assert found.page == name
    assert "does not hold what the file beside it holds" in found.reason


def test_a_check_finds_siblings_that_were_made_of_something_else(site: Site) -> None:
    site.sync()
    _, stage = site.build()
    name = next(n for n in siblings(stage.root) if n.endswith("about/index.html.gz"))
    again = staged(site.settings)
    assert again is not None
    content = (stage.root / name).read_bytes()
    again.add([write_file(again.root, name, content, b"another key", COMPRESSED)])
    again.finish()
    (found,) = wrong_siblings(site, again)
    assert found.page == name
    assert "was not made of the file beside it" in found.reason


def test_a_check_finds_a_sibling_without_its_file(site: Site) -> None:
    site.sync()
    site.build()
    again = staged(site.settings)
    assert again is not None
    again.add([write_file(again.root, "public/x.html.br", b"", b"key", COMPRESSED)])
    again.finish()
    assert [f.page for f in wrong_siblings(site, again)] == ["public/x.html.br"]


def test_damaged_files_are_not_expanded() -> None:
    for name in ("x.br", "x.gz"):
        with pytest.raises(ValueError, match=r"failed|incorrect"):
            expand(name, b"nothing of the kind")


def test_a_site_from_before_compression_gets_all_siblings_at_once(site: Site) -> None:
    site.sync()
    site.build()
    again = staged(site.settings)
    assert again is not None
    again.remove([e.path for e in list(again.entries()) if e.records == COMPRESSED])
    info = (again.root / "release.json").read_text().replace('"compressed"', '"compressed_not"')
    (again.root / "release.json").write_text(info)
    again.finish()
    publish(site.settings, again)
    site.sync()
    _, later = site.build()
    assert len(siblings(later.root)) > 300
