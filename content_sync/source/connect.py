"""Open the source database for reading: SQLite directly, all else through ODBC.

Whatever the database is, its views are seen in a schema `web`, nothing can be written, and
where the database can do it all reads of one connection see one state of the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from content_sync.source.faults import HINTS, Kind, ReadFailed, classify
from content_sync.source.statements import StatementLog

if TYPE_CHECKING:
    from content_sync.settings import Settings

DEMO_APPLICATION_ID = 0x4E505244
READ_COMMITTED = "READ COMMITTED, each statement by itself"


class Dialect(StrEnum):
    """Which SQL the source speaks, as far as that matters to us."""

    SQLITE = "SQLite"
    POSTGRESQL = "PostgreSQL"
    SQL_SERVER = "Microsoft SQL Server"
    OTHER = "another database"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for the source, in seconds, and whether one transaction may be used."""

    login: int = 15
    lock: int = 30
    query: int = 600
    one_transaction: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(
            settings.source_login_seconds,
            settings.source_lock_seconds,
            settings.source_query_seconds,
            settings.source_isolation == "snapshot",
        )


@dataclass(slots=True)
class Source:
    """An open source: one read-only connection to the database.

    `name` says which database it is and holds no secret. `identity` changes when another
    database, or a SQLite file put in place anew, answers under the same settings; versions
    are then worth nothing. `notes` are things that the reader of a report should know.
    `holds_still` says that all reads of this connection see one state of the data.
    """

    connection: Any
    dialect: Dialect
    name: str
    identity: str
    errors: tuple[type[Exception], ...]
    is_demo: bool = False
    holds_still: bool = True
    isolation: str = ""
    floor: bytes | None = None
    """The least rowversion that a transaction under way may still write, as of the start."""
    limits: Limits = field(default_factory=Limits)
    log: StatementLog = field(default_factory=StatementLog)
    notes: list[str] = field(default_factory=list)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Any:
        """Run `statement` and return its cursor. Raises what `reading` turns into errors."""
        self.log.sent += 1
        cursor = self.connection.cursor()
        cursor.execute(statement, tuple(parameters))
        return cursor

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Turn the driver's exceptions into ReadFailed that says that `what` failed."""
        try:
            yield
        except self.errors as error:
            fault = classify(error)
            wait = f" for more than {self.limits.lock} s" if fault.kind is Kind.LOCKED else ""
            meaning = "" if fault.kind is Kind.OTHER else f"{fault.kind}{wait}: "
            raise ReadFailed(
                f"Reading {what} from {self.name} failed: {meaning}{told(error, self.secrets)}.",
                hint=HINTS.get(
                    fault.kind,
                    "Nothing was changed; mend the source or its login and run again.",
                ),
                fault=fault,
            ) from None


@contextmanager
def open_source(
    source: str, site: Path, *, limits: Limits | None = None, log: StatementLog | None = None
) -> Iterator[Source]:
    """Open the database that `source` names: `sqlite:///path` or an ODBC connection string.

    A relative path of SQLite starts at the folder `site`. Raises SourceError when the
    database cannot be reached.
    """
    opened = connect(source, site, limits=limits, log=log)
    try:
        yield opened
    finally:
        disconnect(opened)


def connect(
    source: str, site: Path, *, limits: Limits | None = None, log: StatementLog | None = None
) -> Source:
    """Return an open source, for `disconnect` to close. Raises SourceError."""
    limits = limits or Limits()
    log = StatementLog() if log is None else log
    log.connections += 1
    if source.startswith("sqlite:"):
        from content_sync.source.sqlite import open_sqlite

        return open_sqlite(source, site, limits, log)
    from content_sync.source.odbc import open_odbc

    return open_odbc(source, limits, log)


def disconnect(source: Source) -> None:
    """Close the connection, politely if it still lives."""
    with suppress(*source.errors):
        if source.dialect is not Dialect.SQLITE and not source.connection.autocommit:
            source.connection.rollback()
    with suppress(*source.errors):
        source.connection.close()


def told(error: Exception, secrets: tuple[str, ...]) -> str:
    """Return what a driver says, in one line and without secrets."""
    text = " ".join(str(argument) for argument in error.args[-1:]) or type(error).__name__
    state = error.args[0] if len(error.args) > 1 else ""
    if state and str(state) not in text:
        text = f"[{state}] {text}"
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split()).rstrip(".")


def identity_of(*parts: Any) -> str:
    """Return a digest that tells one database from another."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
