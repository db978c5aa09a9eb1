"""Has every publication its page, and is it found first by the words of its title?

    python -m benchmarks.titles [--size N] [--sample N] [--workers N]

Looks for each publication of the source: its page in the live release (or that of its
tombstone), and its place in a search for the exact words of its title. Titles that several
records share, word for word, set each other aside: any of them may come first.

A search looks at every work that has any of the words, so at full size all searches together
take hours. With `--sample` so many titles, drawn at random, are searched; pages are looked
for in any case, and so is each title's place in the index of whole titles, which decides
what comes first.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import re
import sqlite3
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bench_site import WORK, live_release
from benchmarks.measure import write_result
from benchmarks.nightly_full import run as run_full
from benchmarks.nightly_full import site_name
from benchmarks.report import table
from content_sync.urls import page_file, record_url
from search.query import open_index, search

BATCH = 500
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one title."""

    id: str
    title: str
    first: str
    """Path of the first result, empty if there is none."""
    first_title: str
    rank: int
    """0 if it is not among the first ten."""


def run(size: int | None, workers: int = 0, sample: int | None = None) -> None:
    """Look every title up and write the result; a missing site is built first."""
    site = WORK / site_name(size)
    if not (site / "output/current").exists():
        run_full(size)
    result = look_up(site, workers or os.cpu_count() or 1, sample)
    write_result(f"titles-{size or 'all'}", [], size=size, **result)


def look_up(site: Path, workers: int, sample: int | None = None) -> dict[str, Any]:
    """Return how many publications of a site have a page and are found first."""
    started = time.perf_counter()
    release = live_release(site)
    works = _works(site / "var/snapshot.sqlite")
    missing = [
        w["id"]
        for w in works
        if not (release / "public" / page_file(record_url("publication", w["id"]))).is_file()
    ]
    listed = [w for w in works if w["status"] != "withdrawn"]
    index = str(release / "search/public")
    unknown = _not_indexed(Path(index), listed)
    searched = listed
    if sample is not None and sample < len(listed):
        searched = random.Random(1).sample(listed, sample)  # noqa: S311
    batches = [
        [(w["id"], w["title"]) for w in searched[i : i + BATCH]]
        for i in range(0, len(searched), BATCH)
    ]
    found: list[Found] = []
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for some in pool.map(_look_up, [index] * len(batches), batches):
            found += some
    outcome: Counter[str] = Counter()
    not_first: list[Found] = []
    for f in found:
        if f.first == record_url("publication", f.id):
            outcome["first"] += 1
        elif words_of(f.first_title) == words_of(f.title):
            outcome["first_of_same_words"] += 1
        else:
            outcome["not_first"] += 1
            not_first.append(f)
    return {
        "publications": len(works),
        "withdrawn": len(works) - len(listed),
        "pages_missing": len(missing),
        "pages_missing_examples": missing[:10],
        "title_not_indexed": len(unknown),
        "title_not_indexed_examples": unknown[:10],
        "searched": len(searched),
        **{name: outcome[name] for name in ("first", "first_of_same_words", "not_first")},
        "not_first_examples": [
            {"id": f.id, "title": f.title[:120], "rank": f.rank, "first": f.first}
            for f in not_first[:20]
        ],
        "wall_s": round(time.perf_counter() - started, 1),
        "workers": workers,
    }


def words_of(title: str) -> tuple[str, ...]:
    """Return the words that make two titles the same."""
    return tuple(_WORD.findall(title.casefold()))


def _works(snapshot: Path) -> list[sqlite3.Row]:
    database = sqlite3.connect(f"{snapshot.resolve().as_uri()}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    works = database.execute("SELECT id, title, status FROM publications ORDER BY id").fetchall()
    database.close()
    return works


def _not_indexed(folder: Path, works: list[sqlite3.Row]) -> list[str]:
    """Return the ids of works that the index does not have."""
    with open_index([folder]) as index:
        return [w["id"] for w in works if not index.with_key("id", f"publication:{w['id']}")]


_open = ExitStack()  # a worker keeps its index until it ends
_indexes: dict[str, Any] = {}


def _look_up(folder: str, titles: list[tuple[str, str]]) -> list[Found]:
    if folder not in _indexes:
        _indexes[folder] = _open.enter_context(open_index([Path(folder)]))
    found = []
    for identifier, title in titles:
        hits = search(_indexes[folder], title, limit=10).hits
        urls = [hit.url for hit in hits]
        own = record_url("publication", identifier)
        rank = urls.index(own) + 1 if own in urls else 0
        first, first_title = (urls[0], hits[0].title) if hits else ("", "")
        found.append(Found(identifier, title, first, first_title, rank))
    return found


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    return table(
        [
            "publications",
            "without a page",
            "title not in the index",
            "searched",
            "found first",
            "a work with the same words first",
            "not first",
        ],
        [
            [
                r["publications"],
                r["pages_missing"],
                r["title_not_indexed"],
                r["searched"],
                r["first"],
                r["first_of_same_words"],
                r["not_first"],
            ]
            for r in results
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.titles")
    parser.add_argument("--size", type=int, help="publications (default: all)")
    parser.add_argument("--sample", type=int, help="titles to search (default: all)")
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args()
    run(given.size, given.workers, given.sample)


if __name__ == "__main__":
    main()
