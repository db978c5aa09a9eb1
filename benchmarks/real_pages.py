"""Do judges from outside find faults in the pages and exports of real records?

    python -m benchmarks.real_pages [--size N]

About 3,000 publications in whole volumes, those first that hold what is hardest to set: the
longest titles, the most authors, the most formulas, no authors, no abstract, retracted and
withdrawn works, foreign languages. Some works are made members', so that both trees have pages.
Of each kind of page a sample, all the hard works, and some at random are put before the Nu HTML
checker and axe-core; all publications before the linter of Scholar's rules and Citoid's
reader; all pages before who follows links; and all exports before programs that did not write
them. Needs what `make test` needs.
"""

from __future__ import annotations

import argparse
import gzip
import random
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from shutil import which
from typing import Any

from benchmarks.bench_site import SITEURL, WORK, live_release, make_site, night
from benchmarks.measure import write_result
from benchmarks.real_data import Row, data_folder, load, read, say
from benchmarks.report import table
from benchmarks.validators import (
    Fault,
    check_access,
    check_html,
    check_links,
    disagreements,
    read_metadata,
    some_of_each_kind,
)
from content_sync.urls import page_file

SIZE = 3000
OF_EACH_KIND = 5
AT_RANDOM = 40
_OF_EACH_SORT = 3
_SHOWN = 20
_TOO_LONG = 400
"""Works: a volume with more is passed over, for it would leave no room for others."""

Judged = tuple[int, list[Fault]]
"""How many things were looked at, and what was found."""


def run(size: int = SIZE) -> None:
    """Build a site of real records, have it judged and write the result."""
    hard = hard_works(data_folder())
    source = WORK / f"acl-hard-{size}.sqlite"
    if not source.is_file():
        WORK.mkdir(parents=True, exist_ok=True)
        volumes = [work["volume_id"] for works in hard.values() for work in works]
        load(source, data_folder(), size, first=volumes)
        _close_some(source)
    site = make_site(f"site-hard-{size}")
    night("full night", site, source)
    judged = judge(live_release(site), [w["id"] for works in hard.values() for w in works])
    write_result(
        f"real_pages-{size}",
        [],
        size=size,
        hard={sort: [work["id"] for work in works] for sort, works in hard.items()},
        judges=[
            {"judge": name, "looked at": seen, "found": len(found), "faults": found[:_SHOWN]}
            for name, (seen, found) in judged.items()
        ],
    )
    for name, (_, found) in judged.items():
        for fault in found[:_SHOWN]:
            say(f"{name}: {fault}")


def hard_works(data: Path) -> dict[str, list[Row]]:
    """Return for each sort of difficulty the works that have the most of it."""
    sizes = {v["id"]: v["n_papers"] for v in read(data / "volumes.jsonl.gz")}
    works = [
        work
        for work in read(data / "publications.jsonl.gz")
        if sizes[work["volume_id"]] <= _TOO_LONG
    ]
    sorts: dict[str, Callable[[Row], Any]] = {
        "longest titles": lambda work: len(work["title"]),
        "most authors": lambda work: len(work.get("authors", ())),
        "most formulas in titles": lambda work: work["title"].count("$"),
        "most formulas": lambda work: work.get("abstract", "").count("$"),
        "longest abstracts": lambda work: len(work.get("abstract", "")),
        "most markup": lambda work: len(re.findall("<|&", work.get("abstract", ""))),
        "most of other scripts": lambda work: sum(ord(c) > 0x36F for c in work["title"]),
        "longest word": lambda work: max(map(len, work["title"].split()), default=0),
        "retracted": lambda work: "retracted" in work,
        "withdrawn": lambda work: "removed" in work,
        "corrected": lambda work: len(work.get("revisions", ())) + len(work.get("errata", ())),
        "no authors": lambda work: not work.get("authors"),
        "no abstract": lambda work: not work.get("abstract"),
    }
    chosen = {}
    for sort, weigh in sorts.items():
        best = sorted(works, key=lambda w: (weigh(w), w["id"]), reverse=True)
        chosen[sort] = [work for work in best[:_OF_EACH_SORT] if weigh(work)]
    return chosen


def _close_some(source: Path) -> None:
    """Make a twentieth of the works members', and of another twentieth all but the abstract."""
    with closing(sqlite3.connect(source)) as database, database:
        database.execute("UPDATE publications SET access = 'members' WHERE rowid % 20 = 7")
        database.execute("UPDATE publications SET access = 'abstract' WHERE rowid % 20 = 13")


def judge(release: Path, hard: Iterable[str]) -> dict[str, Judged]:
    """Return what each judge says of a release."""
    chance = random.Random(11)  # noqa: S311
    pages = some_of_each_kind(release, most=OF_EACH_KIND)
    works = sorted(p.relative_to(release).as_posix() for p in _publications(release))
    pages += [f"{tree}/{page_file(f'/publications/{one}/')}" for one in hard for tree in _OPEN]
    pages += chance.sample(works, min(AT_RANDOM, len(works)))
    pages = [page for page in dict.fromkeys(pages) if (release / page).is_file()]
    judges: dict[str, Callable[[], Judged]] = {
        "Nu HTML checker": lambda: (len(pages), check_html(release / page for page in pages)),
        "axe-core, light and dark": lambda: _axe(release, pages),
        "links within the site": lambda: _links(release),
        "rules of Google Scholar": lambda: _scholar(release),
        "tags, JSON-LD and Open Graph: Citoid's reader": lambda: _citoid(release),
        "BibTeX: bibtexparser": lambda: _bibtexparser(release),
        "BibTeX: biber": lambda: _program(release, ".bib", _BIBER),
        "BibTeX: bibtool": lambda: _program(release, ".bib", _BIBTOOL),
        "BibTeX: pandoc": lambda: _program(release, ".bib", _PANDOC),
        "RIS: rispy": lambda: _rispy(release),
        "feeds: feedparser": lambda: _feeds(release),
        "calendars: ics": lambda: _calendars(release),
        "sitemaps: lxml": lambda: _xml(release),
    }
    said = {}
    for name, ask in judges.items():
        say(f"{name} …")
        said[name] = ask()
    return said


_OPEN = ("public", "members")


def _publications(release: Path) -> Iterator[Path]:
    for file in sorted((release / "public/publications").glob("*.html")):
        if file.stem != "index" and "citation_title" in file.read_text("utf-8"):
            yield file


def _axe(release: Path, pages: list[str]) -> Judged:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = which("chromium") or which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        found = check_access(browser, release, pages)
        browser.close()
    # Those for staff come from the service, and its tests look at them.
    return sum(not page.startswith("staff/") for page in pages), found


def _links(release: Path) -> Judged:
    broken, followed = check_links(release, SITEURL)
    return followed, broken


def _scholar(release: Path) -> Judged:
    from tests.scholar import PublicationPage, lint

    found: list[Fault] = []
    pages = list(_publications(release))
    for file in pages:
        url = f"{SITEURL}/publications/{file.stem}/"
        page = PublicationPage(file.read_text("utf-8"), url, release / "public")
        found += [(file.stem, fault) for fault in lint(page)]
    return len(pages), found


def _citoid(release: Path) -> Judged:
    pages = list(_publications(release))
    told = zip(pages, read_metadata(pages), strict=True)
    return len(pages), [(file.stem, fault) for file, all_ in told for fault in disagreements(all_)]


def _exports(release: Path, ending: str) -> Iterator[tuple[Path, str]]:
    """Yield the shards of the whole corpus in one format, with their text."""
    for file in sorted((release / "public/data").rglob(f"*{ending}.gz")):
        yield file, gzip.decompress(file.read_bytes()).decode("utf-8")


def _bibtexparser(release: Path) -> Judged:
    import bibtexparser

    seen, found, keys = 0, list[Fault](), set[str]()
    for file, text in _exports(release, ".bib"):
        library = bibtexparser.parse_string(text)
        found += [(file.name, str(block.error)) for block in library.failed_blocks]
        found += [(file.name, entry.key, "twice") for entry in library.entries if entry.key in keys]
        keys |= {entry.key for entry in library.entries}
        seen += len(library.entries)
    return seen, found


_BIBER = ("biber", "--tool", "--nodieonerror", "--output-file=/dev/null", "--logfile=biber", "FILE")
_BIBTOOL = ("bibtool", "-o", "/dev/null", "FILE")
_PANDOC = ("pandoc", "-f", "bibtex", "-t", "csljson", "-o", "/dev/null", "FILE")


def _program(release: Path, ending: str, command: tuple[str, ...]) -> Judged:
    """Have a program read each shard; each line in which it warns is a fault."""
    seen, found = 0, list[Fault]()
    with tempfile.TemporaryDirectory() as folder:
        for file, text in _exports(release, ending):
            plain = Path(folder) / file.stem
            plain.write_text(text, encoding="utf-8")
            done = subprocess.run(
                [f"./{plain.name}" if word == "FILE" else word for word in command],
                cwd=folder,
                capture_output=True,
                check=False,
            )
            lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
            found += [
                (file.name, line)
                for line in lines
                if re.search(r"WARN|ERROR|[Ww]arning|\*\*\*", line)
            ]
            if done.returncode:
                found.append((file.name, f"ended with {done.returncode}", *lines[-2:]))
            seen += len(re.findall(r"^@\w+\{", text, re.MULTILINE))
    return seen, found


def _rispy(release: Path) -> Judged:
    import rispy

    seen, found = 0, list[Fault]()
    for file, text in _exports(release, ".ris"):
        records = rispy.loads(text)
        seen += len(records)
        found += [
            (file.name, str(r)[:200]) for r in records if not r.get("title") or r.get("unknown_tag")
        ]
    return seen, found


def _feeds(release: Path) -> Judged:
    import feedparser

    files = sorted((release / "public/feeds").rglob("*.atom"))
    found: list[Fault] = []
    for file in files:
        feed = feedparser.parse(file.read_bytes())
        if feed.bozo or feed.version != "atom10" or not feed.entries:
            found.append((file.name, str(feed.get("bozo_exception"))))
    return len(files), found


def _calendars(release: Path) -> Judged:
    import ics

    files = sorted((release / "public/events").glob("*.ics"))
    found: list[Fault] = []
    for file in files:
        try:
            if not ics.Calendar(file.read_bytes().decode("utf-8")).events:
                found.append((file.name, "no event"))
        except Exception as error:
            found.append((file.name, repr(error)))
    return len(files), found


def _xml(release: Path) -> Judged:
    from lxml import etree

    # What answers harvesters is put together by Apache: tests ask there, with two harvesters.
    files = [release / "public/sitemap.xml", release / "public/opensearch.xml"]
    files += sorted((release / "public/sitemaps").rglob("*.xml"))
    found: list[Fault] = []
    for file in files:
        try:
            etree.parse(file)
        except (etree.XMLSyntaxError, OSError) as error:
            found.append((file.name, str(error)))
    return len(files), found


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    heads = ["publications", "judge", "looked at", "found"]
    rows = [
        [result["size"], one["judge"], one["looked at"], one["found"]]
        for result in results
        for one in result["judges"]
    ]
    return table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_pages")
    parser.add_argument("--size", type=int, default=SIZE, help="publications (default: 3000)")
    run(parser.parse_args().size)


if __name__ == "__main__":
    main()
