"""How soon, and with how many bytes, does the search page answer in Chromium?

    python -m benchmarks.search_browser [--size N] [--release FOLDER] [--queries N]

Queries are three or four words of titles, drawn with a fixed seed. Measured are

- what a first query costs a reader who was never here: bytes and requests, all of the page
  counted, its fonts apart, because they come after the first results;
- the time from the address to the first results on a slow line: 400 ms for each round trip,
  400 kbit/s for all together, HTTP/1.1 with up to six connections. The server makes the line
  slow, so that the worker's requests are slowed as well, which the browser's own emulation
  leaves alone;
- the time from a keystroke to the painted list, warm, at 4 × CPU slow-down: with the engine
  in its worker, which Chromium does not slow down, and, harder than any reader has it, with
  the engine on the slowed-down thread of the page. Warm means that every letter was typed
  before and its list waited for. A keystroke is answered by the list of what stood in the
  field then, or of more that was typed since.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.bench_site import WORK, live_release
from benchmarks.measure import write_result
from benchmarks.nightly_full import run as run_full
from benchmarks.nightly_full import site_name
from benchmarks.report import table
from benchmarks.web_server import Line, Served, serve_trees

ROUND_TRIP_S = 0.4
BYTES_PER_S = 400_000 / 8
SLOW_DOWN = 4
KEY_PAUSE_MS = 120
_TYPED = 12

_WATCH = """() => {
  addEventListener("DOMContentLoaded", () => {
    const list = document.getElementById("search-results");
    window.painted = [];
    window.keys = [];
    if (!list) return;
    addEventListener("input", ({ timeStamp, target }) => {
      window.keys.push([timeStamp, target.value]);
    }, true);
    new MutationObserver(() => {
      const { query } = list.dataset;
      if (query === undefined) return;
      if (list.childElementCount) window.first ??= performance.now();
      requestAnimationFrame(() => {
        setTimeout(() => window.painted.push([performance.now(), query]));
      });
    }).observe(list, { attributeFilter: ["data-query"] });
  });
}"""


_ANSWERED = """(query) => {
  const list = document.getElementById("search-results");
  return list.dataset.query === query && !list.querySelector(".snip:empty");
}"""


def run(size: int | None, queries: int = 40) -> None:
    """Measure on a site of real records and write the result; a missing site is built first."""
    site = WORK / site_name(size)
    if not (site / "output/current").exists():
        run_full(size)
    result = measure_release(live_release(site), queries)
    write_result(f"search_browser-{size or 'all'}", [], size=size, **result)


def measure_release(release: Path, queries: int = 40) -> dict[str, Any]:
    """Return the figures of one release."""
    asked = draw_queries(release, queries)
    with serve_trees(release) as served, _chromium() as browser:
        cold = [_first_query(browser, served, query) for query in asked]
        served.line = Line(ROUND_TRIP_S, BYTES_PER_S)
        slow = [_first_results_s(browser, served, query) for query in asked[:10]]
        served.line = None
        typed = asked[:_TYPED]
        return {
            "documents": _documents(release),
            "queries": len(asked),
            "first_bytes_mean": round(statistics.mean(one["bytes"] for one in cold)),
            "first_bytes_worst": max(one["bytes"] for one in cold),
            "first_requests_mean": round(statistics.mean(one["requests"] for one in cold), 1),
            "client_bytes": cold[0]["client"],
            "font_bytes": cold[0]["fonts"],
            "slow_line_s_median": round(statistics.median(slow), 2),
            "slow_line_s_worst": round(max(slow), 2),
            "keystroke_ms": _quantiles(_keystrokes(browser, served, typed, worker=True)),
            "keystroke_without_worker_ms": _quantiles(
                _keystrokes(browser, served, typed, worker=False)
            ),
        }


def draw_queries(release: Path, n: int) -> list[str]:
    """Return three or four telling words in order from each of `n` titles."""
    titles = []
    for file in sorted((release / "documents/public").glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            document = json.loads(line)
            if document["type"] == "publication":
                titles.append(document["title"])
    chance = random.Random(5)  # noqa: S311
    chance.shuffle(titles)
    queries = []
    for title in titles:
        words = re.findall(r"\b[A-Za-z]{4,}\b", title)
        if len(words) >= 3:
            wanted = sorted(
                chance.sample(range(len(words)), min(len(words), chance.choice((3, 4))))
            )
            queries.append(" ".join(words[i].lower() for i in wanted))
        if len(queries) == n:
            break
    return queries


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@contextmanager
def _page(browser: Browser, *, worker: bool = True) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(f"({_WATCH})()" + ("" if worker else "; delete window.Worker"))
    yield page
    context.close()


def _first_query(browser: Browser, served: Served, query: str) -> dict[str, int]:
    mark = len(served.sent)
    with _page(browser) as page:
        page.goto(f"{served.address}/search/?q={query.replace(' ', '+')}")
        page.wait_for_selector("#search-results li")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
    sent = served.since(mark)
    fonts = [one for one in sent if "/fonts/" in one.path]
    rest = [one for one in sent if "/fonts/" not in one.path]
    return {
        "bytes": sum(one.size for one in rest),
        "requests": len(rest),
        "client": sum(one.size for one in rest if one.path.startswith("/assets/search/")),
        "fonts": sum(one.size for one in fonts),
    }


def _first_results_s(browser: Browser, served: Served, query: str) -> float:
    with _page(browser) as page:
        page.goto(f"{served.address}/search/?q={query.replace(' ', '+')}", wait_until="commit")
        page.wait_for_selector("#search-results li", timeout=60_000)
        return float(page.evaluate("window.first")) / 1000


def _keystrokes(
    browser: Browser, served: Served, queries: list[str], *, worker: bool
) -> list[float]:
    """Return the milliseconds from each keystroke to the list that followed it."""
    waits: list[float] = []
    with _page(browser, worker=worker) as page:
        page.goto(f"{served.address}/search/")
        field = page.locator("#q")
        for query in queries:
            _slow_down(page, 1)
            field.fill("")
            for letter in range(len(query)):
                field.press_sequentially(query[letter])
                page.wait_for_function(_ANSWERED, arg=query[: letter + 1])
            _slow_down(page, SLOW_DOWN)
            field.fill("")
            page.wait_for_timeout(600)
            page.evaluate("window.keys.length = window.painted.length = 0")
            field.press_sequentially(query, delay=KEY_PAUSE_MS)
            page.wait_for_timeout(1500)
            waits += _pairs(*page.evaluate("[window.keys, window.painted]"))
    return waits


def _slow_down(page: Page, rate: int) -> None:
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": rate})


def _pairs(keys: list[tuple[float, str]], lists: list[tuple[float, str]]) -> list[float]:
    """The time from each keystroke to the painting of the first list that answers it."""
    waits = []
    for i, (key, _) in enumerate(keys):
        answers = {text for _, text in keys[i:]}
        after = [painted for painted, query in lists if query in answers and painted > key]
        if after:
            waits.append(min(after) - key)
    return waits


def _quantiles(waits: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(waits, n=100)
    return {
        "n": len(waits),
        "median": round(cuts[49], 1),
        "p95": round(cuts[94], 1),
        "worst": round(max(waits), 1),
    }


def _documents(release: Path) -> int:
    folder = release / "documents/public"
    return sum(file.read_bytes().count(b"\n") for file in folder.glob("*.jsonl"))


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    return table(
        [
            "documents",
            "first query, KB mean",
            "KB worst",
            "requests",
            "of it client, KB",
            "slow line, s median",
            "s worst",
            "keystroke p95, ms",
            "without worker, ms",
        ],
        [
            [
                r["documents"],
                r["first_bytes_mean"] / 1000,
                r["first_bytes_worst"] / 1000,
                r["first_requests_mean"],
                r["client_bytes"] / 1000,
                f"{r['slow_line_s_median']:.2f}",
                f"{r['slow_line_s_worst']:.2f}",
                r["keystroke_ms"]["p95"],
                r["keystroke_without_worker_ms"]["p95"],
            ]
            for r in results
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_browser")
    parser.add_argument("--size", type=int, help="publications (default: all)")
    parser.add_argument("--release", type=Path, help="measure this release and print the figures")
    parser.add_argument("--queries", type=int, default=40)
    given = parser.parse_args()
    if given.release:
        print(json.dumps(measure_release(given.release.resolve(), given.queries), indent=2))
    else:
        run(given.size, given.queries)


if __name__ == "__main__":
    main()
