"""What does search cost: to build, to bring up to date, to keep, and a reader's line?

    python -m benchmarks.search_size --documents docs.jsonl [--queries FILE] [--changed 100]

`docs.jsonl` is as for `nightpress bench search`, and so are the queries; without any, 40 are
made of three or four words of a title each. Bytes are counted as a server sends files that
have compressed siblings.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import brotli
import orjson

from benchmarks.measure import write_result
from search.bundle import bundle_client
from search.documents import bucket_file, count_buckets, parse_document, read_lines
from search.index import IndexReport, Previous, update_index
from search.language import STOP_WORDS
from search.minified import minified
from search.trial import write_documents
from search.words import index_words

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parent / "search" / "client"


def run(documents: Path, queries: Path | None, changed: int) -> dict[str, Any]:
    """Measure all and return the figures: seconds of CPU, bytes."""
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        first, second = work / "first", work / "second"
        for folder in (first, second):
            folder.mkdir()
            write_documents(documents, folder / "documents")
        built, cost = _build(first, None)
        titles = _change(second / "documents", changed)
        again, night = _build(second, first)
        asked = _queries(queries, titles)
        (work / "queries").write_text("\n".join(asked), encoding="utf-8")
        return {
            "documents": built.documents,
            "build": {**cost, **asdict(built)},
            "night": {
                "changed": again.changed,
                **night,
                "written_share": round(again.shards_written / again.shards_size, 4),
            },
            "kept": _kept(first / "shards"),
            "reader": _reader(first / "shards", work / "queries"),
        }


def _build(folder: Path, before: Path | None) -> tuple[IndexReport, dict[str, float]]:
    previous = before and Previous(
        documents=before / "documents", index=before / "index", shards=before / "shards"
    )
    started, wall = _cpu(), time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        report = update_index(
            folder / "documents",
            folder / "index",
            folder / "shards",
            previous=previous,
            executor=executor,
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return report, {
        "cpu_s": round(_cpu() - started, 2),
        "wall_s": round(time.perf_counter() - wall, 1),
        # Two workers of the largest kind and this process: more than was used at one time.
        "memory_mb": round((2 * peak + own) / 1024),
    }


def _cpu() -> float:
    used = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        used += usage.ru_utime + usage.ru_stime
    return used


def _change(documents: Path, count: int) -> list[str]:
    """Change the abstracts of some documents; return the titles of all."""
    titles: list[str] = []
    buckets = count_buckets(documents)
    ids = []
    for bucket in range(buckets):
        for line in read_lines(bucket_file(documents, bucket)):
            document = parse_document(line)
            titles.append(document.title)
            ids.append(document.id)
    chosen = set(random.Random(1).sample(ids, min(count, len(ids))))  # noqa: S311
    for bucket in range(buckets):
        path = bucket_file(documents, bucket)
        rows = [orjson.loads(line) for line in read_lines(path)]
        for row in rows:
            if row["id"] in chosen:
                row["abstract"] += " Revised to add one sentence."
        path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return titles


def _queries(path: Path | None, titles: list[str]) -> list[str]:
    if path:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [line.partition("\t")[2] for line in lines if "\t" in line]
    chance = random.Random(40)  # noqa: S311
    telling = ([w for w in index_words(t) if w not in STOP_WORDS and len(w) > 2] for t in titles)
    long_enough = [words for words in telling if len(set(words)) > 3]
    some = chance.sample(long_enough, min(40, len(long_enough)))
    return [" ".join(chance.sample(sorted(set(w)), chance.choice((3, 4)))) for w in some]


def _kept(shards: Path) -> dict[str, int]:
    files = [file for file in shards.rglob("*") if file.is_file()]
    contents = [file.read_bytes() for file in files]
    return {
        "files": len(files),
        "bytes": sum(map(len, contents)),
        "bytes_sent": sum(min(len(c), len(brotli.compress(c, quality=5))) for c in contents),
    }


def _reader(shards: Path, queries: Path) -> dict[str, Any]:
    command = ["node", str(HERE / "search_bytes.mjs"), str(shards), str(queries)]
    done = subprocess.run(command, capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    engine = minified(bundle_client(CLIENT))["engine.js"]
    client = len(brotli.compress(engine.encode(), quality=11))
    cold = [answer["first"] + answer["snippets"] + client for answer in answers]
    return {
        "queries": len(answers),
        "client": client,
        "cold_mean": round(statistics.mean(cold)),
        "cold_worst": max(cold),
        "next_mean": round(statistics.mean(answer["next"] for answer in answers)),
        "fetches_in_a_row": max(answer["depth"] for answer in answers),
        "requests_mean": round(statistics.mean(answer["requests"] for answer in answers), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search_size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--documents", type=Path, required=True)
    parser.add_argument("--queries", type=Path)
    parser.add_argument("--changed", type=int, default=100)
    given = parser.parse_args()
    result = run(given.documents, given.queries, given.changed)
    write_result(f"search_size-{result['documents']}", [], size=result["documents"], **result)
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
