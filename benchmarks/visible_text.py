"""Do two sites show the same text? Words of the same pages, taken out and compared.

    python -m benchmarks.visible_text OURS HUGO [--pages 200] [--seed 1]

OURS and HUGO are folders of pages. What counts is what a reader or a screen reader meets:
the text of `body`, with the title of the page; not its markup, meta tags or scripts.
"""

from __future__ import annotations

import argparse
import difflib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

SECTIONS = ("publications", "people", "venues", "years", "topics", "projects", "institutions")
"""Folders that the sample is drawn from, in turn; events and overviews come on top."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How alike two pages are: 1 is the same words in the same order."""

    file: str
    ratio: float
    ours_only: str
    """The first words that only our page has."""
    theirs_only: str


def words(html: str) -> list[str]:
    """Return the words of a page that a reader meets."""
    tree = LexborHTMLParser(html)
    for node in tree.css("script, style, template"):
        node.decompose()
    title = tree.css_first("title")
    body = tree.body
    text = body.text(separator=" ") if body else ""
    # Two engines may break markup, not words, elsewhere: "Lovelace ," is "Lovelace,".
    return f"{title.text() if title else ''} {text}".replace(" ,", ",").replace(" .", ".").split()


def compare(
    ours: Path, theirs: Path, files: list[str], named: Callable[[str], str] = str
) -> Iterator[Difference]:
    """Yield for each file how alike its text is in the two folders.

    `named` gives the name in `theirs` of a file of `ours`.
    """
    for file in files:
        a, b = (
            words(page.read_text(encoding="utf-8")) if page.is_file() else []
            for page in (ours / file, theirs / named(file))
        )
        if a == b:
            yield Difference(file, 1.0, "", "")
            continue
        matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
        ours_only: list[str] = []
        theirs_only: list[str] = []
        for tag, i, j, k, m in matcher.get_opcodes():
            if tag != "equal":
                ours_only += a[i:j]
                theirs_only += b[k:m]
        yield Difference(
            file, matcher.ratio(), " ".join(ours_only[:12]), " ".join(theirs_only[:12])
        )


def sample(folder: Path, pages: int, seed: int) -> list[str]:
    """Return about `pages` files of a site: overviews, events, and each section alike."""
    chance = random.Random(seed)  # noqa: S311
    files = sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*.html"))
    by_section: dict[str, list[str]] = {}
    for file in files:
        by_section.setdefault(file.partition("/")[0], []).append(file)
    chosen = {"index.html", "publications/index.html", "venues/index.html", "people/index.html"}
    chosen &= set(files)
    sections = [name for name in (*SECTIONS, "events") if name in by_section]
    for name in sections:
        some = by_section[name]
        chosen.update(chance.sample(some, min(len(some), -(-pages // len(sections)))))
    return sorted(chosen)


def compare_sites(
    ours: Path,
    theirs: Path,
    pages: int = 200,
    seed: int = 1,
    named: Callable[[str], str] = str,
) -> dict[str, object]:
    """Return how alike a sample of pages is, and the pages that differ most."""
    found = list(compare(ours, theirs, sample(ours, pages, seed), named))
    found.sort(key=lambda d: d.ratio)
    return {
        "pages": len(found),
        "same": sum(d.ratio == 1 for d in found),
        "mean_ratio": round(sum(d.ratio for d in found) / len(found), 5),
        "least_ratio": round(found[0].ratio, 5),
        "most_different": [
            {"file": d.file, "ratio": round(d.ratio, 4), "ours": d.ours_only, "hugo": d.theirs_only}
            for d in found[:5]
            if d.ratio < 1
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.visible_text")
    parser.add_argument("ours", type=Path)
    parser.add_argument("hugo", type=Path)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = compare_sites(given.ours, given.hugo, given.pages, given.seed)
    for name, value in found.items():
        if isinstance(value, list):
            for one in value:
                print(f"  {one['ratio']}  {one['file']}")
                print(f"    ours: {one['ours']}\n    hugo: {one['hugo']}")
        else:
            print(f"{name:14}{value}")


if __name__ == "__main__":
    main()
