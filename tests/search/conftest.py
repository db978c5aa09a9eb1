"""Real documents folders and real indexes in temporary folders."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.thread import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

Row = dict[str, Any]
WriteDocuments = Callable[..., Path]


def publication(number: str, title: str, **values: Any) -> Row:
    return {
        "id": f"publication:{number}",
        "type": "publication",
        "url": f"/publications/{number}/",
        "title": title,
        "access": "public",
        "status": "current",
        **values,
    }


@pytest.fixture
def write_documents(tmp_path: Path) -> WriteDocuments:
    """A function that writes rows as a documents folder and returns it."""

    def write(name: str, rows: Iterable[Row], buckets: int = 8) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True)
        contents: dict[int, list[tuple[str, bytes]]] = {}
        for row in rows:
            digest = hashlib.blake2b(row["id"].encode(), digest_size=8).digest()
            bucket = int.from_bytes(digest) % buckets
            contents.setdefault(bucket, []).append((row["id"], orjson.dumps(row) + b"\n"))
        for bucket, lines in contents.items():
            path = folder / f"{bucket:04}.jsonl"
            path.write_bytes(b"".join(line for _, line in sorted(lines)))
        (folder / "layout.json").write_bytes(orjson.dumps({"buckets": buckets}))
        return folder

    return write


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.fixture(scope="session")
def spawned() -> Iterator[Executor]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as processes:
        yield processes


@pytest.fixture
def works() -> list[Row]:
    """A small library with all that the query language can ask for."""
    return [
        publication(
            "2019.a-1",
            "Copper drift in narrow lines",
            people=["Ada Lovelace", "Tomasz Brzękowicz"],
            venue="Symposium on Interconnect Reliability",
            venue_short="SIR",
            year=2019,
            kind="conference paper",
            topics=["Electromigration"],
            abstract="We stress lines and measure how resistance drifts for many hours.",
            doi="10.1234/Copper.1",
        ),
        publication(
            "2021.b-2",
            "Electromigration of copper",
            people=["Mio Kazahaya"],
            venue="Journal of Device Lifetimes",
            venue_short="JDL",
            year=2021,
            kind="journal article",
            abstract="Narrow copper lines fail early. Copper drift is only one sign.",
        ),
        publication(
            "2023.c-3",
            "A survey of noise",
            people=["Noga Tsur-Arazi", "Ada Byron"],
            venue="Journal of Device Lifetimes",
            year=2023,
            kind="journal article",
            institutions=["Łużna Polytechnic"],
            abstract="Noise before failure; drift of copper and cobalt lines.",
        ),
        publication(
            "r-4",
            "Copper drift revisited",
            year=2022,
            kind="report",
            status="retracted",
            abstract="Copper drift, copper drift and again copper drift.",
        ),
        publication("t-5", "The"),
        publication("t-6", "???", year=1999),
        publication("t-7", "自然言語処理の研究", year=2001, access="abstract"),
        {
            "id": "person:ada",
            "type": "person",
            "url": "/people/ada/",
            "title": "Ada Lovelace",
            "names": ["A. A. King"],
            "access": "public",
        },
    ]


Build = Callable[..., Path]


@pytest.fixture
def build(write_documents: WriteDocuments, tmp_path: Path, executor: Executor) -> Build:
    """A function that indexes rows in a new folder, with `index` and `shards` in it.

    `before` is the folder of an earlier index, which is brought up to date.
    """

    def make(name: str, rows: Iterable[Row], before: Path | None = None, **options: Any) -> Path:
        from search.index import Previous, update_index

        folder = tmp_path / name
        documents = write_documents(f"{name}/documents", rows, options.pop("buckets", 8))
        previous = None
        if before:
            previous = Previous(
                documents=before / "documents", index=before / "index", shards=before / "shards"
            )
        report = update_index(
            documents,
            folder / "index",
            folder / "shards",
            previous=previous,
            executor=executor,
            **options,
        )
        (folder / "report.json").write_bytes(orjson.dumps(dataclasses.asdict(report)))
        return folder

    return make


Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A function that answers requests from shards with the browsers' engine, under Node."""
    script = Path(__file__).parent / "client" / "ask.mjs"

    def answers(folders: Iterable[Path], requests: list[Any], **options: Any) -> list[Any]:
        asked = [{"query": r} if isinstance(r, str) else r for r in requests]
        given = {"folders": [str(f) for f in folders], "requests": asked, **options}
        done = subprocess.run(
            ["node", str(script)],
            input=orjson.dumps(given),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        found: list[Any] = orjson.loads(done.stdout)
        return found

    return answers
