"""HTTP as bytes on a wire: a client that sends what it is told and hides nothing."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from content_sync.operations.stack import ADDRESS, Stack


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def __getitem__(self, name: str) -> str:
        """The value of a header that must stand there once or not at all."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


class Client:
    """One kept connection to a stack."""

    def __init__(self, stack: Stack, *, protocols: list[str] | None = None) -> None:
        context = ssl.create_default_context(cafile=str(stack.authority))
        if protocols:
            context.set_alpn_protocols(protocols)
        plain = socket.create_connection((ADDRESS, stack.port), timeout=20)
        self.connection = context.wrap_socket(plain, server_hostname=stack.host)
        self.host = f"{stack.host}:{stack.port}"
        self._buffer = b""

    def ask(
        self,
        path: str | bytes,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        version: str = "HTTP/1.1",
        body: bytes = b"",
    ) -> Answer:
        target = path if isinstance(path, bytes) else path.encode("latin-1")
        lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
        if "host" not in {name.lower() for name in headers or {}} and version == "HTTP/1.1":
            lines.insert(0, f"Host: {self.host}")
        if body:
            lines.append(f"Content-Length: {len(body)}")
        start = f"{method} ".encode() + target + f" {version}".encode()
        self.connection.sendall(
            b"\r\n".join([start, *(line.encode("latin-1") for line in lines), b"", body])
        )
        return self.read(has_body=method != "HEAD")

    def read(self, *, has_body: bool = True) -> Answer:
        head = self._until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = [
            (name.lower(), value.strip()) for name, _, value in (li.partition(":") for li in lines)
        ]
        status = int(first.split()[1])
        facts = dict(headers)
        body = b""
        if has_body and status not in {204, 304}:
            if facts.get("transfer-encoding") == "chunked":
                while size := int(self._until(b"\r\n").split(b";")[0], 16):
                    body += self._exactly(size)
                    self._exactly(2)
                self._until(b"\r\n")
            elif "content-length" in facts:
                body = self._exactly(int(facts["content-length"]))
            else:
                while piece := self.connection.recv(1 << 16):
                    self._buffer += piece
                body, self._buffer = self._buffer, b""
        return Answer(status, headers, body)

    def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            piece = self.connection.recv(1 << 16)
            if not piece:
                raise ConnectionError("the server hung up")
            self._buffer += piece
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            piece = self.connection.recv(1 << 16)
            if not piece:
                raise ConnectionError("the server hung up")
            self._buffer += piece
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def get(stack: Stack, path: str | bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """Ask once over a connection of its own."""
    with Client(stack) as client:
        return client.ask(path, headers)
