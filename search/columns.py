"""Columns: for each facet, which documents have which value."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import accumulate, groupby, pairwise
from typing import Any

import orjson

from search.documents import Document

SINGLE = ("type", "kind", "year", "venue", "access", "status")
"""Facets of one value for each document, …"""
MANY = ("topic", "institution")
"""… and of any number of values."""


QUICK = ("type", "kind", "year", "access")
"""Those that are counted for every list; they share a file, because each file costs a request."""


class Columns:
    """The columns of a segment, filled in order of the documents' numbers."""

    def __init__(self) -> None:
        self._count = 0
        self._values: dict[str, dict[str, int]] = {name: {} for name in (*SINGLE, *MANY)}
        self._labels: dict[str, list[str]] = {name: [] for name in (*SINGLE, *MANY)}
        self._runs: dict[str, list[int]] = {name: [] for name in SINGLE}
        self._steps: dict[str, list[list[int]]] = {name: [] for name in MANY}
        self._last: dict[str, list[int]] = {name: [] for name in MANY}

    def add(self, document: Document) -> None:
        """Enter the next document."""
        venue = document.venue_short or document.venue
        year = "" if document.year is None else str(document.year)
        for name, value, label in (
            ("type", document.type, document.type),
            ("kind", document.kind, document.kind),
            ("year", year, year),
            ("venue", venue, document.venue or venue),
            ("access", document.access, document.access),
            ("status", document.status, document.status),
        ):
            runs = self._runs[name]
            number = self._number(name, value, label) if value else -1
            if runs and runs[-2] == number:
                runs[-1] += 1
            else:
                runs += (number, 1)
        for name, values in (("topic", document.topics), ("institution", document.institutions)):
            for value in dict.fromkeys(values):
                number = self._number(name, value, value)
                steps, last = self._steps[name], self._last[name]
                if number == len(steps):
                    steps.append([])
                    last.append(0)
                steps[number].append(self._count - last[number])
                last[number] = self._count
        self._count += 1

    def names(self) -> list[str]:
        """Return the columns that have any value."""
        return [name for name, values in self._values.items() if values]

    def encoded(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and bytes of each file of columns."""
        files: dict[str, dict[str, Any]] = {}
        for name in self.names():
            labels = self._labels[name]
            values = [
                value if label == value else [value, label]
                for value, label in zip(self._values[name], labels, strict=True)
            ]
            column: dict[str, Any] = {"values": values}
            if name in SINGLE:
                column["runs"] = self._runs[name]
            else:
                column["steps"] = self._steps[name]
            files.setdefault(column_file(name), {})[name] = column
        for name, columns in files.items():
            yield name, orjson.dumps(columns)

    def _number(self, name: str, value: str, label: str) -> int:
        values = self._values[name]
        if value not in values:
            values[value] = len(values)
            self._labels[name].append(label)
        return values[value]


def column_file(name: str) -> str:
    """Return the name of the file that a column is in."""
    return "quick" if name in QUICK else name


def without_documents(content: bytes, gone: Collection[int]) -> bytes:
    """Return a file of columns in which some documents have no value, nor what only they had."""
    columns: dict[str, dict[str, Any]] = orjson.loads(content)
    for column in columns.values():
        _take_out(column, gone)
    return orjson.dumps(columns)


def _take_out(column: dict[str, Any], gone: Collection[int]) -> None:
    if "runs" in column:
        runs = column["runs"]
        numbers = [number for i in range(0, len(runs), 2) for number in [runs[i]] * runs[i + 1]]
        for document in gone:
            numbers[document] = -1
        column["runs"] = [n for value, run in groupby(numbers) for n in (value, len(list(run)))]
        used = set(numbers)
    else:
        for i, steps in enumerate(column["steps"]):
            documents = list(accumulate(steps))
            left = [document for document in documents if document not in gone]
            if len(left) < len(documents):
                column["steps"][i] = [b - a for a, b in pairwise([0, *left])]
        used = {i for i, steps in enumerate(column["steps"]) if steps}
    column["values"] = [v if i in used else "" for i, v in enumerate(column["values"])]
