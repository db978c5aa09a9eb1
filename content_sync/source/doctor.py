"""Look at everything that can be wrong between a site and its source, and say what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from content_sync.errors import NightpressError, SourceError
from content_sync.records import VIEWS
from content_sync.settings import Settings
from content_sync.source import doctor_rights
from content_sync.source.catalogue import MANDATORY, Found, SourceView, look, procedures_of
from content_sync.source.connect import Dialect, Limits, Source, connect, disconnect
from content_sync.source.connection_string import bundled_driver, parts_of
from content_sync.source.faults import Kind, ReadFailed
from content_sync.source.install import contract_types
from content_sync.source.read import floor_of
from content_sync.source.sql_server import SWITCH_ON, asked
from content_sync.sync.drift import sort_of


class State(StrEnum):
    """How it stands with one thing."""

    GOOD = "ok"
    MIND = "mind"
    BAD = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at; `mend` is the T-SQL or setting that puts it right."""

    name: str
    state: State
    says: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Line]:
    """Yield one line for each thing that was looked at, in the order in which they matter."""
    yield from _driver(settings)
    source = None
    try:
        try:
            source = connect(settings.source_name, settings.site, limits=Limits.of(settings))
        except SourceError as error:
            yield from _not_reached(error)
            return
        yield Line("connection", State.GOOD, f"{source.name} answers.")
        try:
            yield from _inside(settings, source)
        except NightpressError as error:
            yield Line("reading", State.BAD, str(error.args[0]), error.hint)
    finally:
        if source is not None:
            disconnect(source)


def _inside(settings: Settings, source: Source) -> Iterator[Line]:
    if source.dialect is Dialect.SQL_SERVER:
        yield from _server(settings, source)
    yield _isolation(settings, source)
    found = look(source, procedures_of(settings.source_procedures))
    yield from _views(found)
    for view in found.views.values():
        yield from _view(source, view)
    yield from _rowversions(settings, source, found)
    for problem, mend in doctor_rights.surplus(source, found):
        yield Line("rights", State.BAD, problem, mend)
    if source.dialect is not Dialect.OTHER:
        yield Line("rights", State.GOOD, doctor_rights.looked_at(source))
    for line in source.log.faults:
        yield Line("server", State.MIND, line, "Nothing need be done: the sync goes on without.")


def _driver(settings: Settings) -> Iterator[Line]:
    name = settings.source_name
    if name.startswith("sqlite:"):
        yield Line("driver", State.GOOD, "SQLite is read directly.")
        return
    from content_sync.source.odbc import import_pyodbc

    try:
        pyodbc = import_pyodbc()
    except SourceError as error:
        yield Line("driver", State.BAD, str(error.args[0]), error.hint)
        return
    parts = parts_of(name)
    drivers = pyodbc.drivers()
    wanted = parts.get("driver", "")
    there = ", ".join(drivers) or "none"
    if not wanted:
        yield Line("driver", State.GOOD, f"A data source name is used. Drivers here: {there}.")
    elif wanted in drivers or "/" in wanted or "\\" in wanted:
        yield Line("driver", State.GOOD, f"{wanted} (drivers here: {there}).")
    elif wanted.casefold() == "odbc driver 18 for sql server" and bundled_driver():
        yield Line("driver", State.GOOD, f"{wanted}, from the package mssql-python-odbc.")
    else:
        yield Line(
            "driver",
            State.BAD,
            f"{wanted} is not installed (drivers here: {there}).",
            "Install it, or name one of these in NIGHTPRESS_SOURCE; on Debian FreeTDS is "
            "sudo apt install tdsodbc.",
        )
    if "password" in parts or "pwd" in parts:
        weak = parts.get("trustservercertificate", "").casefold() in ("yes", "true", "1")
        if weak:
            yield Line(
                "certificate",
                State.MIND,
                "TrustServerCertificate=yes: whoever sits between can read the password.",
                "Install the certificate of its authority here and set TrustServerCertificate=no.",
            )


def _not_reached(error: SourceError) -> Iterator[Line]:
    name = "connection"
    if isinstance(error, ReadFailed):
        name = {Kind.LOGIN: "login", Kind.CERTIFICATE: "certificate", Kind.DRIVER: "driver"}.get(
            error.fault.kind, name
        )
    yield Line(name, State.BAD, str(error.args[0]), error.hint)


def _server(settings: Settings, source: Source) -> Iterator[Line]:
    version = asked(source, "SELECT CAST(SERVERPROPERTY('ProductVersion') AS NVARCHAR(40))")
    collation = asked(source, "SELECT CAST(SERVERPROPERTY('Collation') AS NVARCHAR(100))")
    major = str(version or "").partition(".")[0]
    old = major.isdecimal() and 0 < int(major) < 13
    yield Line(
        "server",
        State.MIND if old else State.GOOD,
        f"version {version or 'not told'}, collation {collation or 'not told'}.",
        "Nightpress is written for SQL Server 2016 (13) and later." if old else "",
    )
    encrypted = asked(
        source,
        "SELECT encrypt_option FROM sys.dm_exec_connections WHERE session_id = @@SPID",
    )
    if encrypted is None:
        yield Line("encryption", State.MIND, "The server does not tell this login.", "")
    elif str(encrypted).upper() == "TRUE":
        yield Line("encryption", State.GOOD, "The connection is encrypted.")
    else:
        yield Line(
            "encryption",
            State.BAD,
            "The connection is not encrypted.",
            "Add Encrypt=yes to NIGHTPRESS_SOURCE (FreeTDS: Encryption=require).",
        )


def _isolation(settings: Settings, source: Source) -> Line:
    if source.holds_still:
        return Line("isolation", State.GOOD, f"One consistent read: {source.isolation}.")
    if settings.source_isolation != "snapshot":
        mend = "SOURCE_ISOLATION = 'snapshot' in pelicanconf.py"
    else:
        mend = SWITCH_ON if source.dialect is Dialect.SQL_SERVER else ""
    return Line(
        "isolation",
        State.MIND,
        f"{source.isolation}: each sync reads all keys twice to prove that nothing moved.",
        mend,
    )


def _views(found: Found) -> Iterator[Line]:
    for view in VIEWS:
        if view.name in found.views:
            continue
        if view.name == MANDATORY:
            yield Line(
                f"web.{view.name}",
                State.BAD,
                "The view is not there, or the login may not see it.",
                "'nightpress source install' prints the view and the grant.",
            )
        else:
            yield Line(
                f"web.{view.name}", State.GOOD, "Not there: the site is made without it.", ""
            )


def _view(source: Source, view: SourceView) -> Iterator[Line]:
    name = f"web.{view.view.name}"
    missing = [column for column in view.contract.columns if column not in view.names]
    for column in missing:
        kind = contract_types(view.view.name).get(column, "NVARCHAR(200)")
        yield Line(
            name,
            State.BAD,
            f"The column {column} is missing.",
            f"ALTER VIEW {name} …: add CAST(NULL AS {kind}) AS {column}, or your own column.",
        )
    if missing:
        return
    if view.procedure is None:
        try:
            with source.reading(name):
                columns = ", ".join(view.contract.columns[:1])
                source.execute(f"SELECT {columns} FROM {view.relation} WHERE 1 = 0").fetchall()
        except ReadFailed as error:
            denied = error.fault.kind is Kind.DENIED
            yield Line(
                name,
                State.BAD,
                str(error.args[0]),
                f"GRANT SELECT ON {name} TO the login of NIGHTPRESS_SOURCE;"
                if denied
                else error.hint,
            )
            with suppress(*source.errors):
                source.connection.rollback()
            return
        yield from _types(source, view)
    if view.has_version:
        yield Line(name, State.GOOD, f"{len(view.contract.columns)} columns and a version.")
    else:
        yield Line(
            name,
            State.MIND,
            "There is no column version: all its rows are read and compared every night.",
            f"If {name} is a view over one table, add its ROWVERSION column AS version.",
        )


def _types(source: Source, view: SourceView) -> Iterator[Line]:
    """Yield the columns whose type is of another sort than the contract's, if they hold values."""
    for column, wanted in contract_types(view.view.name).items():
        sort, found = sort_of(wanted), sort_of(view.types.get(column, ""))
        if column == "version" or not sort or not found or sort == found or sort == "text":
            continue
        if found == "text":
            continue  # dates and numbers as text are read; what is none is a problem of its row
        values = _count(source, view, column)
        if values:
            yield Line(
                f"web.{view.view.name}",
                State.BAD,
                f"{column} is {view.types[column]}, not {wanted}, in {values:,} rows.",
                f"CAST({column} AS {wanted}) AS {column} in the view.",
            )


def _count(source: Source, view: SourceView, column: str) -> int:
    with source.reading(f"web.{view.view.name}"):
        rows: Any = source.execute(f"SELECT COUNT({column}) FROM {view.relation}").fetchall()
    return int(rows[0][0])


def _rowversions(settings: Settings, source: Source, found: Found) -> Iterator[Line]:
    if source.dialect is not Dialect.SQL_SERVER:
        return
    for view in found.views.values():
        kind = view.types.get("version", "")
        if view.has_version and kind and sort_of(kind) != "bytes":
            yield Line(
                f"web.{view.view.name}",
                State.MIND,
                f"version is {kind}: it is compared, but tells a change only if every change "
                "of the row changes it.",
                "A ROWVERSION column does so by itself: ALTER TABLE … ADD changed ROWVERSION;",
            )
    if floor_of(source) is None:
        yield Line(
            "windows",
            State.MIND,
            "MIN_ACTIVE_ROWVERSION() is not answered: views with more than "
            f"{settings.source_window_rows:,} rows are read by all their keys every night.",
        )
