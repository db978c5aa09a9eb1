"""`layout.json` of an index: its segments, and what ranking was frozen with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from search.errors import SearchError
from search.ranking import Averages
from search.schema import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Files for browsers that are to be read instead of a segment's own."""

    name: str
    """By its content: the name of its folder."""
    files: tuple[str, ...]
    """Such as `t/5`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Documents that were indexed together; only more of it becomes dead."""

    name: str
    """By its content: the name of its folders."""
    documents: int
    firsts: tuple[int, ...]
    """The number of the first document in each partition."""
    dead: tuple[int, ...]
    """Numbers of documents that a later segment has anew, rising."""
    directory: dict[str, Any]
    """What browsers must know to find their way in its files."""
    patches: tuple[Patch, ...] = ()
    """Without what later documents' going took out; no two of them have the same file."""

    @property
    def living(self) -> int:
        return self.documents - len(self.dead)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """An index: its oldest segment first."""

    schema: int
    buckets: int
    averages: Averages
    segments: tuple[Segment, ...]

    @property
    def documents(self) -> int:
        return sum(segment.living for segment in self.segments)


def read_layout(index: Path) -> Layout:
    """Return the layout of the index in folder `index`.

    Raises SearchError if there is none, or one of another schema version.
    """
    try:
        row: dict[str, Any] = orjson.loads((index / "layout.json").read_bytes())
        if row["schema"] != SCHEMA_VERSION:
            raise SearchError(
                f"{index} has schema version {row['schema']}, this program reads {SCHEMA_VERSION}.",
                hint="Run 'nightpress index'.",
            )
        return Layout(
            schema=row["schema"],
            buckets=row["buckets"],
            averages=Averages(**row["averages"]),
            segments=tuple(
                Segment(
                    name=s["name"],
                    documents=s["documents"],
                    firsts=tuple(s["firsts"]),
                    dead=tuple(s["dead"]),
                    directory=s["directory"],
                    patches=tuple(
                        Patch(name=p["name"], files=tuple(p["files"])) for p in s["patches"]
                    ),
                )
                for s in row["segments"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SearchError(
            f"{index} holds no search index: {error}.", hint="Run 'nightpress index'."
        ) from error


def write_layout(index: Path, layout: Layout) -> None:
    """Write `layout.json`."""
    (index / "layout.json").write_bytes(orjson.dumps(asdict(layout)) + b"\n")


def partition_folders(index: Path, segment: Segment) -> list[Path]:
    """Return the folders of a segment's partitions, each an ordinary Whoosh index."""
    return [index / segment.name / f"{i:02}" for i in range(len(segment.firsts))]
