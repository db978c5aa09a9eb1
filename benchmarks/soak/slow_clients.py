"""Clients that send a byte now and then hold connections, and an ordinary reader comes.

Six hundred connections at any time: a third never begins TLS, a third sends the head of a request
byte by byte, a third reads the answer byte by byte. What Apache closes is opened again at once.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

from benchmarks.soak.switch import two_releases
from content_sync.operations.stack import ADDRESS, Stack, request, running_stack

TITLE = "an ordinary request beside 600 connections of slow clients"
CONNECTIONS = 600
SECONDS = 120
_DRIPPERS = 12


def run(scale: float) -> dict[str, object]:
    """Ask for a page again and again beside them; raise AssertionError if one goes unanswered."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        settings, _ = two_releases(folder / "site")
        with running_stack(settings, signin=False, service=False) as stack:
            alone = _waits(stack, 5 * min(scale, 1))
            done, opened, lock = threading.Event(), Counter[str](), threading.Lock()
            drippers = [
                threading.Thread(
                    target=_drip, args=(stack, done, opened, lock, CONNECTIONS // _DRIPPERS)
                )
                for _ in range(_DRIPPERS)
            ]
            for dripper in drippers:
                dripper.start()
            while opened["held"] < CONNECTIONS * 0.95:
                time.sleep(0.2)
            beside = _waits(stack, max(10, SECONDS * scale))
            held = opened["held"]
            done.set()
            for dripper in drippers:
                dripper.join()
    return {
        "slow connections held": held,
        "opened in all": opened["opened"],
        "requests": len(beside),
        "not answered": 0,
        "p50 ms": _at(beside, 0.5),
        "p99 ms": _at(beside, 0.99),
        "longest ms": _at(beside, 1),
        "p50 ms without them": _at(alone, 0.5),
    }


def _waits(stack: Stack, seconds: float) -> list[float]:
    """Return how long each request took, over a connection of its own, handshake included."""
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        answer = request(stack, "/publications/")
        waits.append((time.perf_counter() - began) * 1000)
        assert answer.startswith(b"HTTP/1.1 200"), answer[:80]
        time.sleep(0.05)
    return sorted(waits)


def _drip(
    stack: Stack, done: threading.Event, opened: Counter[str], lock: threading.Lock, count: int
) -> None:
    """Hold `count` connections and send or take a byte on each, once in a second."""
    context = ssl.create_default_context(cafile=str(stack.authority))
    held: list[socket.socket | None] = [None] * count
    while not done.is_set():
        for number in range(count):
            connection = held[number]
            try:
                if connection is None:
                    held[number] = _opened(stack, context, number % 3)
                    with lock:
                        opened["opened"] += 1
                        opened["held"] += 1
                elif number % 3 == 1:
                    connection.sendall(b"x")
                elif number % 3 != 1 and not connection.recv(1):
                    raise ConnectionError
            except (TimeoutError, BlockingIOError):
                continue
            except OSError:
                if connection is not None:
                    connection.close()
                    held[number] = None
                    with lock:
                        opened["held"] -= 1
            if done.wait(1 / count):
                break
    for connection in held:
        if connection is not None:
            with suppress(OSError), closing(connection):
                pass


def _opened(stack: Stack, context: ssl.SSLContext, kind: int) -> socket.socket:
    plain = socket.create_connection((ADDRESS, stack.port), timeout=10)
    if kind == 0:
        plain.settimeout(0.01)
        return plain
    if kind == 2:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    secure = context.wrap_socket(plain, server_hostname=stack.host)
    secure.sendall(b"GET /publications/ HTTP/1.1\r\nHost: ")
    if kind == 2:
        secure.sendall(f"{stack.host}:{stack.port}\r\n\r\n".encode())
    secure.settimeout(0.01)
    return secure


def _at(waits: list[float], share: float) -> float:
    return round(waits[min(int(len(waits) * share), len(waits) - 1)], 1)
