"""Try the search on a collection: index documents, answer queries, write a TREC run."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import orjson

from search.errors import SearchError
from search.index import update_index
from search.query import open_index, search

DEPTH = 1000
"""Documents of a query that a run names."""
ENGINES = ("client", "whoosh")

_PER_BUCKET = 64
_TYPE = "publication"


def try_collection(
    documents: Path,
    queries: Path,
    run: Path,
    *,
    engine: str,
    executor: Executor,
    say: Callable[[str], None] = print,
) -> int:
    """Write a TREC run of all queries and return their number.

    `documents` has a JSON object on each line with id, title, authors, year, venue and
    abstract, of which only the id must be there; `queries` an id, a tab and the query.
    `engine` is `client`, the readers' own code under Node, or `whoosh`, the command line's.
    Raises SearchError for files that are not so, and where Node is not installed.
    """
    node = shutil.which("node")
    if engine == "client" and not node:
        raise SearchError(
            "Node.js is not installed, or not on PATH.",
            hint="Install Node.js 18 or newer, or try --engine whoosh.",
        )
    asked = list(_read_queries(queries))
    with tempfile.TemporaryDirectory(prefix="nightpress-") as temporary:
        folder = Path(temporary)
        count = write_documents(documents, folder / "documents", say)
        say(f"Indexing {count:,} documents")
        update_index(folder / "documents", folder / "index", folder / "shards", executor=executor)
        say(f"Answering {len(asked):,} queries")
        if engine == "client":
            answers = _ask_client(str(node), folder, asked)
        else:
            answers = _ask_whoosh(folder, asked)
        try:
            with run.open("w", encoding="utf-8") as file:
                for query_id, found in answers:
                    for rank, document_id in enumerate(found, 1):
                        name = document_id.partition(":")[2]
                        file.write(f"{query_id} Q0 {name} {rank} {DEPTH + 1 - rank} {engine}\n")
        except OSError as error:
            raise SearchError(f"{run} cannot be written: {error.strerror}.") from error
    return len(asked)


def _read_queries(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in _lines(path):
        query_id, tab, query = line.partition("\t")
        if not tab or not query_id.strip():
            raise SearchError(f"{path}, line {number}: no query id, tab and query.")
        yield "_".join(query_id.split()), query.strip()


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise SearchError(f"{path} cannot be read: {error.strerror}.") from error


def write_documents(path: Path, folder: Path, say: Callable[[str], None] = print) -> int:
    """Write the documents of a file of JSON Lines as a documents folder; return how many.

    Raises SearchError for a file that cannot be read or holds something else.
    """
    rows: dict[str, bytes] = {}
    twice = 0
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise SearchError(f"{path}, line {number}: no JSON ({error}).") from error
        document_id = _text(row.get("id")) if isinstance(row, dict) else ""
        if not document_id:
            raise SearchError(f"{path}, line {number}: no object with an id.")
        document_id = "_".join(document_id.split())
        if document_id in rows:
            twice += 1
            continue
        rows[document_id] = orjson.dumps(_document(document_id, row)) + b"\n"
    if twice:
        say(f"{twice:,} documents have the id of an earlier one and are left out")
    buckets = 1
    while buckets * _PER_BUCKET < len(rows):
        buckets *= 2
    folder.mkdir()
    contents: list[list[tuple[str, bytes]]] = [[] for _ in range(buckets)]
    for document_id, line_of in rows.items():
        digest = hashlib.blake2b(document_id.encode(), digest_size=8).digest()
        contents[int.from_bytes(digest) % buckets].append((document_id, line_of))
    for bucket, lines in enumerate(contents):
        (folder / f"{bucket:04}.jsonl").write_bytes(b"".join(each for _, each in sorted(lines)))
    (folder / "layout.json").write_bytes(orjson.dumps({"buckets": buckets}))
    return len(rows)


def _document(document_id: str, row: dict[str, Any]) -> dict[str, Any]:
    authors = row.get("authors") or row.get("people") or []
    if isinstance(authors, str):
        authors = [authors]
    year = str(row.get("year") or "").strip()
    return {
        "id": f"{_TYPE}:{document_id}",
        "type": _TYPE,
        "url": f"/publications/{document_id}/",
        "title": _text(row.get("title")),
        "people": [
            name for name in map(_text, authors if isinstance(authors, list) else []) if name
        ],
        "venue": _text(row.get("venue")),
        "year": int(year) if year.isdecimal() and len(year) <= 4 else None,
        "abstract": _text(row.get("abstract")),
        "access": "public",
        "status": "current",
    }


def _text(value: object) -> str:
    """Return a value as text without halves of characters."""
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return " ".join(str(value).encode(errors="ignore").decode().split())


def _ask_client(
    node: str, folder: Path, asked: list[tuple[str, str]]
) -> Iterator[tuple[str, list[str]]]:
    queries = folder / "queries.jsonl"
    queries.write_bytes(b"".join(orjson.dumps(query) + b"\n" for query in asked))
    script = Path(__file__).parent / "node" / "run.mjs"
    command = [node, str(script), str(folder / "shards"), str(queries), str(DEPTH)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            query_id, found = orjson.loads(line)
            yield query_id, found
        complaint = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise SearchError(f"Node.js ended with an error: {complaint[-400:]}")


def _ask_whoosh(folder: Path, asked: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    with open_index([folder / "index"]) as index:
        for query_id, query in asked:
            found = search(index, query, limit=DEPTH, prefix=True)
            yield query_id, [hit.id for hit in found.hits]
