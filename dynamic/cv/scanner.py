"""The virus scanner: clamd, asked over its socket. What it did not see whole is not clean."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from dynamic.cv.refusals import Refused
from dynamic.errors import Unavailable

_PIECE = 65536


def scan(address: str, file: Path, *, timeout: float = 60) -> None:
    """Return if clamd at `address` finds nothing in the file.

    `address` is a path of a Unix socket or host:port. Raises Refused("infected") if it
    finds something, and Unavailable if it did not look at all of it: no connection, one
    that was reset, a file larger than its StreamMaxLength, any answer but `stream: OK`.
    """
    try:
        answer = _ask(address, file, timeout)
    except (OSError, ValueError) as error:
        raise _unavailable() from error
    if answer == "stream: OK":
        return
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        raise Refused("infected")
    raise _unavailable()


def ping(address: str, *, timeout: float = 3) -> str:
    """Return clamd's version, or raise Unavailable."""
    try:
        with _connect(address, timeout) as connection:
            connection.sendall(b"zVERSION\0")
            return _line(connection)
    except (OSError, ValueError) as error:
        raise _unavailable() from error


def _ask(address: str, file: Path, timeout: float) -> str:
    with _connect(address, timeout) as connection, file.open("rb") as content:
        connection.sendall(b"zINSTREAM\0")
        while piece := content.read(_PIECE):
            connection.sendall(struct.pack("!I", len(piece)) + piece)
        connection.sendall(struct.pack("!I", 0))
        return _line(connection)


def _connect(address: str, timeout: float) -> socket.socket:
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and not address.startswith("/"):
        return socket.create_connection((host.strip("[]"), int(port)), timeout)
    connection = socket.socket(getattr(socket, "AF_UNIX"), socket.SOCK_STREAM)  # noqa: B009
    connection.settimeout(timeout)
    try:
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _line(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < 4096:
        piece = connection.recv(4096)
        if not piece:
            break
        answer += piece
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def _unavailable() -> Unavailable:
    return Unavailable(
        "The virus scanner does not answer, and a CV that was not scanned is not taken. Nothing"
        " of what you sent was kept. Please try again in a few minutes.",
        retry_after=120,
    )
