"""How much work a change costs, counted and not timed: pages, files and statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from content_sync.pages.reader import Reader
from content_sync.pages.render import Renderer
from content_sync.release.manifest import Manifest
from content_sync.release.stage import live
from tests.content_sync.pages.conftest import Site


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is rendered and what is asked of the snapshot."""
    counted: Counter[str] = Counter()
    render, rows = Renderer._render, Reader.rows

    def counted_render(self: Renderer, name: str, values: dict[str, Any]) -> str:
        counted[name] += 1
        counted["pages"] += name != "card.html"
        return render(self, name, values)

    def counted_rows(self: Reader, *arguments: Any) -> Any:
        counted["statements"] += 1
        return rows(self, *arguments)

    monkeypatch.setattr(Renderer, "_render", counted_render)
    monkeypatch.setattr(Reader, "rows", counted_rows)
    return counted


def test_a_changed_abstract_renders_few_pages_and_writes_what_differs(
    site: Site, work: Counter[str]
) -> None:
    site.night()
    before = live(site.settings)
    assert before is not None
    whole = work["pages"]
    work.clear()
    ((record,),) = site.snapshot(
        "SELECT id FROM publications WHERE access = 'public' AND status = 'current'"
        " AND abstract IS NOT NULL AND year < 2020 ORDER BY id LIMIT 1"
    )
    site.edit(
        "UPDATE publications SET abstract = 'Another.', version = version + 1 WHERE id = ?", record
    )
    report = site.night()
    after = live(site.settings)
    assert after is not None
    # Its own page, and what is made of all works: the newest, /changes/ and the like.
    assert report.written < 10
    assert (work["card.html"], work["person.html"]) == (1, 0)
    # Error pages, staff's pages and /data/ are made each time; they do not grow with the site.
    assert work["pages"] < 40 < whole
    with (
        Manifest(before.manifest_file) as earlier,
        Manifest(after.manifest_file) as listing,
    ):
        keys = {entry.path: entry.key for entry in earlier.entries()}
        written = {
            entry.path
            for entry in listing.entries()
            if entry.key is not None
            and entry.key == keys.get(entry.path)
            and (after.root / entry.path).stat().st_nlink == 1
        }
    assert written == set(), "what is made of the same is shared with the last release"


def test_statements_grow_with_batches_and_not_with_pages(
    make_site: Callable[..., Site], work: Counter[str]
) -> None:
    sent, pages = [], []
    for name, publications in (("small", 40), ("large", 120)):
        site = make_site(name, publications=publications)
        site.sync()
        work.clear()
        site.build()
        sent.append(work["statements"])
        pages.append(work["pages"])
    assert pages[1] - pages[0] > 150
    assert sent[1] - sent[0] < (pages[1] - pages[0]) / 2, "some for each batch, none for each page"
