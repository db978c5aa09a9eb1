"""Run the benchmarks in order and write their figures: `python -m benchmarks`.

python -m benchmarks                      49,000 publications beside Hugo, the rest on all
python -m benchmarks --size 5000          everything at 5,000
python -m benchmarks --only titles        one question
python -m benchmarks --full               Hugo on all publications too (long, much memory)
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks import (
    against_hugo,
    against_servers,
    cluster,
    cv_memory,
    growth,
    lighthouse,
    nightly_changed,
    nightly_full,
    real_pages,
    search_browser,
    service_load,
    sync_million,
    titles,
)
from benchmarks.real_data import say
from benchmarks.report import QUESTIONS, write_report

BESIDE_HUGO = 49_000


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", type=int, help="publications, for every question")
    parser.add_argument("--only", choices=QUESTIONS, action="append", help="may be repeated")
    parser.add_argument("--full", action="store_true", help="beside Hugo, all publications too")
    parser.add_argument("--titles", type=int, default=5000, help="titles to search for")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs beside Hugo")
    given = parser.parse_args()
    size, rounds = given.size, given.rounds
    # In this order: the changed nights use up the site that the first two leave.
    questions: dict[str, Callable[[], None]] = {
        "nightly_full": lambda: nightly_full.run(size),
        "titles": lambda: titles.run(size, sample=given.titles),
        "real_pages": lambda: real_pages.run(min(size or real_pages.SIZE, real_pages.SIZE)),
        "against_servers": lambda: against_servers.run(size, rounds),
        "search_browser": lambda: search_browser.run(size),
        "lighthouse": lambda: lighthouse.run(size or lighthouse.SIZE),
        "nightly_changed": lambda: nightly_changed.run(size),
        "service_load": service_load.run,
        "sync_million": lambda: sync_million.run(size),
        "against_hugo": lambda: _beside_hugo(size, rounds, full=given.full),
        "growth": lambda: growth.run((size,) if size else growth.SIZES),
        "cluster": lambda: cluster.run(size or cluster.SIZE),
        "cv_memory": cv_memory.run,
    }
    for name, ask in questions.items():
        if not given.only or name in given.only:
            say(f"{name} …")
            ask()
            write_report()


def _beside_hugo(size: int | None, rounds: int, *, full: bool) -> None:
    against_hugo.run(size or BESIDE_HUGO, rounds)
    if full:
        against_hugo.run(None, 1)


if __name__ == "__main__":
    main()
