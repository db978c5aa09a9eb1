"""What does it cost to read a million publications with three million authors?

    python -m benchmarks.sync_million [--size N]

A synthetic source of that size, once as an SQLite file and once in a PostgreSQL server of
the benchmark's own, read through ODBC: a first sync, a night on which nothing changed, and a
night on which 1,000 publications did. CPU and memory are those of `nightpress sync`, not of
the server.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from benchmarks.measure import Cost, measure, write_result
from benchmarks.report import table
from tests.postgresql import postgresql_server

SIZE = 1_000_000
AUTHORS = 3
CHANGED = 1_000
WORK = Path(__file__).resolve().parent / "work" / "sync-million"
_ROOT = Path(__file__).resolve().parent.parent

Run = Callable[[str], Any]
"""Executes a statement on a source."""


def run(size: int | None) -> None:
    """Measure both sources and write the result."""
    count = size or SIZE
    runs: list[dict[str, Any]] = []
    for name, source in (("SQLite", _in_sqlite), ("PostgreSQL through ODBC", _in_postgresql)):
        shutil.rmtree(WORK, ignore_errors=True)
        WORK.mkdir(parents=True)
        (WORK / "pelicanconf.py").write_text("SITENAME = 'Million'\n", "utf-8")
        with source(count) as (named, execute):
            runs.append(_night(name, "first", named))
            runs.append(_night(name, "nothing changed", named))
            execute(
                "UPDATE web.publications SET title = 'Changed', version = version + 1 "
                f"WHERE id < '{_key(CHANGED)}'"
            )
            runs.append(_night(name, f"{CHANGED:,} changed", named))
    shutil.rmtree(WORK)
    write_result(f"sync_million-{count}", runs, size=count)


def tables(results: list[dict[str, Any]]) -> str:
    """Return the table of the README."""
    rows = [
        [
            result["size"],
            one["source"],
            one["label"],
            one["rows"],
            one["rows"] / one["wall_s"],
            one["cpu_s"],
            one["wall_s"],
            one["peak_memory"] / 1e6,
            one["statements"],
        ]
        for result in results
        for one in result["runs"]
    ]
    heads = ("publications", "source", "night", "rows", "rows/s", "CPU s", "wall s", "peak MB")
    return table([*heads, "statements"], rows)


def _night(source: str, label: str, named: str) -> dict[str, Any]:
    cost: Cost = measure(
        label,
        [sys.executable, "-m", "content_sync.cli", "sync", "--site", str(WORK)],
        cwd=_ROOT,
        env={"NIGHTPRESS_SOURCE": named},
        log=WORK / "log",
    )
    if cost.exit_code:
        raise RuntimeError((WORK / "log").read_text("utf-8"))
    facts = json.loads((WORK / "var" / "source-report.json").read_text("utf-8"))
    return {
        "source": source,
        "label": label,
        "rows": max(
            sum(s["rows"] for s in facts["statements"] if s["step"] == step)
            for step in ("all rows", "keys and versions")
        ),
        "statements": facts["sent"],
        "wall_s": round(cost.wall_s, 2),
        "cpu_s": round(cost.cpu_s, 2),
        "peak_memory": cost.peak_memory,
        "memory_kind": cost.memory_kind,
        "load": round(cost.load, 1),
    }


def _key(number: int) -> str:
    return f"p{number:08}"


@contextmanager
def _in_sqlite(count: int) -> Iterator[tuple[str, Run]]:
    path = WORK / "source.sqlite"
    contract = resources.files("content_sync.source").joinpath("sql/contract.sqlite.sql")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(contract.read_text("utf-8"))
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.create_function("publication", 1, _key, deterministic=True)
        numbers = (
            "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n "
            f"WHERE i + 1 < {count})"
        )
        connection.execute(
            "INSERT INTO publications (id, title, abstract, kind, year, access) "
            f"{numbers} SELECT publication(i), 'Title of work ' || i, "
            f"{_abstract('i', 'substr')}, 'report', 1950 + i % 75, 'public' FROM n"
        )
        connection.execute(
            "INSERT INTO publication_people (publication_id, role, position, name) "
            f"{numbers}, a (p) AS (VALUES (1), (2), (3)) "
            "SELECT publication(i), 'author', p, 'Author ' || (i * 7 + p) % 200000 FROM n, a"
        )
        connection.execute("COMMIT")

        def execute(statement: str) -> None:
            connection.execute(statement.replace("web.", ""))

        yield f"sqlite:///{path}", execute


@contextmanager
def _in_postgresql(count: int) -> Iterator[tuple[str, Run]]:
    import psycopg

    with (
        postgresql_server() as url,
        psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection,
    ):
        connection.execute("CREATE SCHEMA web")
        contract = resources.files("content_sync.source").joinpath("sql/contract.sqlite.sql")
        text = contract.read_text("utf-8").replace("CREATE TABLE ", "CREATE TABLE web.")
        connection.execute(text.encode())
        connection.execute(
            "INSERT INTO web.publications (id, title, abstract, kind, year, access) "
            "SELECT 'p' || lpad(i::text, 8, '0'), 'Title of work ' || i, "
            f"{_abstract('i', 'substr')}, 'report', 1950 + i % 75, 'public' "
            f"FROM generate_series(0, {count - 1}) AS i".encode()
        )
        connection.execute(
            "INSERT INTO web.publication_people (publication_id, role, position, name) "
            "SELECT 'p' || lpad(i::text, 8, '0'), 'author', p, "
            "'Author ' || (i::bigint * 7 + p) % 200000 "
            f"FROM generate_series(0, {count - 1}) AS i, generate_series(1, 3) AS p".encode()
        )
        connection.execute("VACUUM ANALYZE")
        port = url.rpartition(":")[2].partition("/")[0]
        yield (
            f"Driver=PostgreSQL Unicode;Server=127.0.0.1;Port={port};Database=postgres;Uid=owner",
            lambda statement: connection.execute(statement.encode()),
        )


def _abstract(number: str, cut: str) -> str:
    """Return SQL for a text of about 600 characters that differs from row to row."""
    words = "the drift of copper floats in a quiet harbour was measured over many nights and "
    return f"{cut}('{words * 8}', 1 + {number} % 60, 600)"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync_million")
    parser.add_argument("--size", type=int, help=f"publications (default: {SIZE:,})")
    run(parser.parse_args().size)


if __name__ == "__main__":
    main()
