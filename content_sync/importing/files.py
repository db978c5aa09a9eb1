"""Importing files: which reader a file needs, and what becomes of its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from content_sync.errors import SourceError
from content_sync.importing.bibtex import read_bibtex
from content_sync.importing.entries import Entry, Refused
from content_sync.importing.store import ImportReport, Store
from content_sync.importing.tables import read_csv, read_json

FORMATS: dict[str, Callable[[Path], Iterator[Entry | Refused]]] = {
    ".bib": read_bibtex,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
}
"""Ending of a file's name → what reads it."""

Progress = Callable[[int, int], None]


def import_files(
    files: Iterable[Path],
    target: Path,
    *,
    access: str,
    replace: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Write the works in `files` to the source `target` and return what was done.

    Works without an access of their own get `access`. With `replace`, works that are in none
    of the files are removed. It all lands or nothing does.

    Raises SourceError if a file cannot be read, or all of them hold no work at all.
    """
    report = ImportReport()
    store = Store(target, access)
    seen: dict[str, str] = {}
    done = False
    try:
        for file in files:
            for entry in _reader(file)(file):
                if isinstance(entry, Refused):
                    report.refused.append(f"{file.name}, {entry.place}: {entry.reason}")
                    continue
                if entry.id in seen:
                    report.refused.append(
                        f"{file.name}, {entry.id}: {seen[entry.id]} has an entry of that id"
                    )
                    continue
                seen[entry.id] = file.name
                outcome = store.put(entry)
                setattr(report, outcome, getattr(report, outcome) + 1)
                if progress and len(seen) % 500 == 0:
                    progress(len(seen), len(seen))
        if not seen:
            raise SourceError("There is no work in these files: nothing was imported.")
        if replace:
            report.gone = store.remove_others(seen)
        store.finish()
        done = True
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}.") from error
    finally:
        if not done:
            store.give_up()
    return report


def _reader(file: Path) -> Callable[[Path], Iterator[Entry | Refused]]:
    try:
        return FORMATS[file.suffix.lower()]
    except KeyError:
        raise SourceError(
            f"{file} has no ending that says what it is.",
            hint=f"Name it with one of these: {', '.join(FORMATS)}.",
        ) from None
