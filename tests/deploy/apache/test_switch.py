"""A switch of releases under load, and what pages of the release before still ask for."""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from content_sync.release.releases import releases
from content_sync.release.switch import point, prune, rollback, switch_to
from tests.deploy.apache.conftest import OPEN, Served
from tests.deploy.apache.wire import Client, get

pytestmark = pytest.mark.needs("apache")

_ASSET = re.compile(r'(?:href|src)="(/assets/[^"]+)"')


@pytest.fixture(scope="module")
def site(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> Iterator[Served]:
    """A site whose newest release has another stylesheet than the ones before it."""
    with make_served(OPEN) as served:
        templates = served.settings.site / "templates"
        templates.mkdir()
        conf = served.settings.pelicanconf
        conf.write_text(conf.read_text() + 'THEME_TEMPLATES_OVERRIDES = ["templates"]\n')
        base = Path(__file__).parents[3] / "theme" / "templates" / "_footer_links.html"
        (templates / "_footer_links.html").write_text(
            base.read_text() + "<p>The newer footer</p>\n"
        )
        served.night()
        yield served


def test_a_release_is_followed_without_a_reload(site: Served) -> None:
    numbers = [release.number for release in releases(site.settings)]
    assert len(numbers) >= 3
    assert "The newer footer" in site.get("/about/").text
    rollback(site.settings)
    assert "The newer footer" not in site.get("/about/").text
    switch_to(site.settings, numbers[-1])
    assert "The newer footer" in site.get("/about/").text


def test_hashed_files_of_kept_releases_stay_and_go_with_them(site: Served) -> None:
    first, *_, last = releases(site.settings)
    lost = [
        path
        for path in hashed(first.root)
        if not (last.root / path).exists() and not path.endswith((".br", ".gz"))
    ]
    assert any(path.startswith("public/search-index/") for path in lost)
    assert any(path.startswith("members/search-index/") for path in lost)
    for path in lost:
        address = f"/{path.removeprefix('public/')}"
        answer = get(site.stack, address, {"Accept-Encoding": "gzip"})
        assert answer.status == 200, address
        gzipped = first.root / f"{path}.gz"
        expected = gzipped if gzipped.exists() else first.root / path
        assert answer.body == expected.read_bytes()
        kept = answer["Cache-Control"]
        if path.startswith("public/"):
            assert kept == "public, max-age=31536000, immutable"
        else:
            assert kept == "private, no-store"
    assert site.get("/search-index/results/aaaaaaaa.json").status == 404
    assert site.get("/assets/css/press.0123456789.css").status == 404


def test_hashed_files_of_the_members_are_guarded_in_every_release(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> None:
    with make_served() as served:
        for release in releases(served.settings):
            for path in hashed(release.root):
                if path.startswith("members/"):
                    assert served.get(f"/{path}").status in {401, 403}, path


def hashed(root: Path) -> list[str]:
    found = itertools.chain(root.glob("*/assets/**/*"), root.glob("*/search-index/*/**/*"))
    return [f.relative_to(root).as_posix() for f in sorted(found) if f.is_file()]


def test_no_request_sees_a_switch(site: Served) -> None:
    """Pages, redirects and tombstones at a steady rate while the live release changes."""
    two = releases(site.settings)[-2:]
    gone = next(u for u in site.file("gone.txt").read_text().split() if u.endswith("/"))
    old, new = site.file("redirects.txt").read_text().splitlines()[0].split("\t")
    expected = {
        path: {(200, (r.root / file).read_bytes()) for r in two}
        for path, file in (
            ("/", "public/index.html"),
            ("/about/", "public/about/index.html"),
            ("/people/", "public/people/index.html"),
        )
    }
    done = threading.Event()
    wrong: list[str] = []
    counts: list[int] = []

    def read() -> None:
        count = 0
        with Client(site.stack) as client:
            while not done.is_set():
                for path, answers in expected.items():
                    answer = client.ask(path, {"Connection": "keep-alive"})
                    if (answer.status, answer.body) not in answers:
                        wrong.append(f"{path}: {answer.status}")
                answer = client.ask(gone)
                if answer.status != 410 or b"was published on this site" not in answer.body:
                    wrong.append(f"{gone}: {answer.status}")
                answer = client.ask(old)
                if (answer.status, answer["Location"]) != (301, site.stack.url + new):
                    wrong.append(f"{old}: {answer.status}")
                count += 5
                if count > 900:  # Apache ends a connection after a thousand requests
                    client.close()
                    client.__init__(site.stack)  # type: ignore[misc]
                    counts.append(count)
                    count = 0
        counts.append(count)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(20):
        time.sleep(0.05)
        point(site.settings.output, two[number % 2])
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert sum(counts) > 200


def test_a_page_of_either_release_finds_all_that_it_names(site: Served) -> None:
    older, newer = releases(site.settings)[-2:]
    for live, other in ((newer, older), (older, newer)):
        point(site.settings.output, live)
        page = (other.root / "public/search/index.html").read_text("utf-8")
        named = _ASSET.findall(page)
        assert named
        for path in named:
            assert site.get(path).status == 200, path


def test_without_a_release_the_site_says_that_it_rests(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> None:
    with make_served() as served:
        (served.settings.output / "current").unlink()
        answer = served.get("/")
        assert answer.status == 503
        assert answer["Retry-After"] == "30"
        assert answer["Content-Type"].startswith("text/plain")


def test_pruned_releases_leave_the_list(site: Served) -> None:
    from dataclasses import replace

    settings = replace(site.settings, releases_kept=2)
    newest = releases(settings)[-1]
    switch_to(settings, newest.number)
    removed = prune(settings)
    assert removed
    listed = (settings.output / "earlier.txt").read_text()
    numbers = {int(line.split()[1]) for line in listed.splitlines()}
    assert numbers.isdisjoint(removed)
    assert newest.number in numbers
