"""What a driver's exception means: told by SQLSTATE and the server's own number, never by class.

Drivers raise the same fault as different classes, and some give a lost link no SQLSTATE of
its own; the numbers, and where there are none the words, say what happened.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from content_sync.errors import SourceError


class Kind(StrEnum):
    """What sort of fault it is, in words that stand in messages."""

    LOST = "the connection was lost"
    BUSY = "the server chose this session to give way"
    TIMEOUT = "the time limit was reached"
    LOCKED = "another session holds a lock"
    LOGIN = "the login was refused"
    UNREACHABLE = "the server does not answer"
    CERTIFICATE = "the server's certificate is not trusted"
    DRIVER = "the driver cannot be loaded"
    MISSING = "an object or column is missing"
    DENIED = "the login lacks a right"
    NO_SNAPSHOT = "snapshot isolation is off"
    OTHER = "an error"


_TRANSIENT = frozenset({Kind.LOST, Kind.BUSY, Kind.TIMEOUT, Kind.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Fault:
    """A driver's exception: its kind, SQLSTATE, and the server's error numbers, if any."""

    kind: Kind
    state: str = ""
    numbers: tuple[int, ...] = ()

    @property
    def is_transient(self) -> bool:
        """Whether the same request may well succeed in a moment."""
        return self.kind in _TRANSIENT


class ReadFailed(SourceError):
    """A statement failed, or the source could not be reached; `fault` says how."""

    def __init__(self, message: str, *, hint: str = "", fault: Fault) -> None:
        super().__init__(message, hint=hint)
        self.fault = fault


def classify(error: Exception, *, connecting: bool = False) -> Fault:
    """Return what `error`, raised by a driver, means."""
    text = " ".join(str(argument) for argument in error.args)
    state = _state(error)
    numbers = tuple(dict.fromkeys(int(n) for n in _NATIVE.findall(text)))
    return Fault(_kind(error, state, numbers, text.casefold(), connecting), state, numbers)


HINTS: dict[Kind, str] = {
    Kind.LOCKED: "Nothing was changed, and nobody was held up; run again when that work is done.",
    Kind.LOGIN: "Check the user, the password and the database in NIGHTPRESS_SOURCE.",
    Kind.UNREACHABLE: "Check NIGHTPRESS_SOURCE, the server and the network.",
    Kind.LOST: "Nothing was changed; run again, and see the server's log if it happens again.",
    Kind.TIMEOUT: "Nothing was changed; raise SOURCE_QUERY_SECONDS if the server needs longer.",
    Kind.CERTIFICATE: "Install the certificate of its authority on this machine, or give "
    "the server a certificate in its own name.",
    Kind.DRIVER: "Install the ODBC driver that NIGHTPRESS_SOURCE names: 'nightpress source "
    "doctor' lists those that are there.",
    Kind.MISSING: "Nothing was changed; 'nightpress source doctor' says which view lacks what.",
    Kind.DENIED: "Nothing was changed; grant SELECT on schema web to the login: "
    "'nightpress source doctor' prints the line.",
}
"""What to do about a fault of a kind; other faults have no better advice than the message."""


# By the server's number: SQL Server and Azure SQL, then FreeTDS's own library.
_BY_NUMBER: dict[int, Kind] = {
    **dict.fromkeys((18456, 18452, 18470, 18486, 18487, 18488, 4060, 916), Kind.LOGIN),
    1222: Kind.LOCKED,
    3952: Kind.NO_SNAPSHOT,
    **dict.fromkeys((208, 207, 2812), Kind.MISSING),
    **dict.fromkeys((229, 230, 262, 297, 300), Kind.DENIED),
    **dict.fromkeys(
        (1205, 40613, 40197, 10928, 10929, 40501, 49918, 49919, 49920, 3960, 4221), Kind.BUSY
    ),
    # The snapshot cannot be read on: a table changed its shape (an index was rebuilt), or tempdb
    # dropped the versions. A new one can.
    **dict.fromkeys((3961, 3958, 3966, 3967), Kind.BUSY),
    **dict.fromkeys((596, 10053, 10054, 10060, 233, 20004, 20006, 20017, 20047), Kind.LOST),
    20003: Kind.TIMEOUT,
    **dict.fromkeys((20009, 20013), Kind.UNREACHABLE),
}
_BY_STATE: dict[str, Kind] = {
    **dict.fromkeys(("08S01", "08003", "08006", "08007", "57P01", "57P02"), Kind.LOST),
    **dict.fromkeys(("08001", "57P03", "53300"), Kind.UNREACHABLE),
    **dict.fromkeys(("HYT00", "HYT01", "57014"), Kind.TIMEOUT),
    **dict.fromkeys(("40001", "40P01"), Kind.BUSY),
    "55P03": Kind.LOCKED,
    **dict.fromkeys(("28000", "28P01"), Kind.LOGIN),
    **dict.fromkeys(("42501",), Kind.DENIED),
    **dict.fromkeys(("42S02", "42S22", "42P01", "42703", "3F000"), Kind.MISSING),
    **dict.fromkeys(("IM002", "IM003", "IM004"), Kind.DRIVER),
}

# Where neither number nor state says it.
_LOGIN_WORDS = (
    "authentication failed",
    "login failed",
    "no pg_hba.conf entry",
    "no password supplied",
    "does not exist",
    "is not permitted to log in",
)
_CERTIFICATE_WORDS = ("certificate verify failed", "self-signed", "self signed", "certificate")
_LOST_WORDS = (
    "server closed the connection",
    "no connection to the server",
    "communication link",
    "connection is dead",
    "connection reset",
    "broken pipe",
    "unexpected eof",
    "terminating connection",
    "connection is broken",
    "not connected",
)

_NATIVE = re.compile(r"\((\d+)\)")
_STATE = re.compile(r"^[0-9A-Z]{5}$")


def _state(error: Exception) -> str:
    first = str(error.args[0]) if error.args else ""
    return first if _STATE.match(first) else ""


def _kind(
    error: Exception, state: str, numbers: tuple[int, ...], text: str, connecting: bool
) -> Kind:
    if isinstance(error, sqlite3.Error):
        return _kind_of_sqlite(text)
    for kind in (Kind.LOGIN, Kind.LOCKED):  # whatever else the driver adds
        if any(_BY_NUMBER.get(number) is kind for number in numbers):
            return kind
    for number in numbers:
        if number in _BY_NUMBER:
            return _told_while(connecting, _BY_NUMBER[number])
    if connecting:
        if any(word in text for word in _LOGIN_WORDS):
            return Kind.LOGIN
        if any(word in text for word in _CERTIFICATE_WORDS):
            return Kind.CERTIFICATE
        if "can't open lib" in text or "file not found" in text:
            return Kind.DRIVER
    if state in _BY_STATE:
        return _told_while(connecting, _BY_STATE[state])
    if any(word in text for word in _LOST_WORDS):
        return _told_while(connecting, Kind.LOST)
    return _kind_of_sqlite(text)


def _told_while(connecting: bool, kind: Kind) -> Kind:
    """Nobody can lose a connection that is not there yet."""
    if connecting and kind in (Kind.LOST, Kind.TIMEOUT):
        return Kind.UNREACHABLE
    return kind


def _kind_of_sqlite(text: str) -> Kind:
    if "database is locked" in text or "database table is locked" in text:
        return Kind.LOCKED
    if "no such table" in text or "no such column" in text:
        return Kind.MISSING
    return Kind.OTHER
